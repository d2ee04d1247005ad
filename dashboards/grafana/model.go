package grafana

// SchemaVersion of the boards: that of Grafana 10, which later ones migrate.
const SchemaVersion = 39

// Types of plug-ins.
const (
	ClickHouseType = "grafana-clickhouse-datasource"
	PrometheusType = "prometheus"
)

// Dashboard is a board.
type Dashboard struct {
	UID           string     `json:"uid"`
	Title         string     `json:"title"`
	Description   string     `json:"description"`
	Tags          []string   `json:"tags"`
	Timezone      string     `json:"timezone"`
	Editable      bool       `json:"editable"`
	GraphTooltip  int        `json:"graphTooltip"`
	Refresh       string     `json:"refresh"`
	SchemaVersion int        `json:"schemaVersion"`
	Time          TimeRange  `json:"time"`
	Templating    Templating `json:"templating"`
	Annotations   struct {
		List []any `json:"list"`
	} `json:"annotations"`
	Links  []DashboardLink `json:"links"`
	Panels []Panel         `json:"panels"`
}

// TimeRange is the range that a board opens with.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// DashboardLink is the menu of the other boards.
type DashboardLink struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
}

// Templating holds the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is a chosen value: of type query, textbox, or custom.
type Variable struct {
	Name       string  `json:"name"`
	Label      string  `json:"label"`
	Type       string  `json:"type"`
	Datasource *Ref    `json:"datasource,omitempty"`
	Query      any     `json:"query"`
	Refresh    int     `json:"refresh,omitempty"`
	Sort       int     `json:"sort"`
	Multi      bool    `json:"multi"`
	IncludeAll bool    `json:"includeAll"`
	AllValue   string  `json:"allValue,omitempty"`
	Hide       int     `json:"hide"`
	Current    Current `json:"current"`
	Options    []any   `json:"options"`
}

// Current is what a variable opens with.
type Current struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// Ref names a data source.
type Ref struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Panel is one panel.
type Panel struct {
	ID          int            `json:"id"`
	Type        string         `json:"type"`
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	Datasource  *Ref           `json:"datasource"`
	GridPos     GridPos        `json:"gridPos"`
	Targets     []any          `json:"targets"`
	FieldConfig FieldConfig    `json:"fieldConfig"`
	Options     map[string]any `json:"options"`
}

// GridPos places a panel on a grid of 24 columns.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// ClickHouseTarget is a query of the ClickHouse data source, version 4.
type ClickHouseTarget struct {
	RefID      string         `json:"refId"`
	Datasource Ref            `json:"datasource"`
	EditorType string         `json:"editorType"`
	QueryType  string         `json:"queryType"` // table or timeseries
	Format     int            `json:"format"`    // 0 time series, 1 table
	RawSQL     string         `json:"rawSql"`
	Meta       map[string]any `json:"meta"`
	PluginVer  string         `json:"pluginVersion"`
}

// PrometheusTarget is a query of a Prometheus data source.
type PrometheusTarget struct {
	RefID        string `json:"refId"`
	Datasource   Ref    `json:"datasource"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
	Range        bool   `json:"range"`
}

// FieldConfig is how values look.
type FieldConfig struct {
	Defaults  Field      `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Field is the look of a field.
type Field struct {
	DisplayName string         `json:"displayName,omitempty"`
	Unit        string         `json:"unit,omitempty"`
	Decimals    *int           `json:"decimals,omitempty"`
	NoValue     string         `json:"noValue,omitempty"`
	Thresholds  *Thresholds    `json:"thresholds,omitempty"`
	Color       map[string]any `json:"color,omitempty"`
	Custom      map[string]any `json:"custom,omitempty"`
}

// Thresholds colour a field.
type Thresholds struct {
	Mode  string          `json:"mode"`
	Steps []ThresholdStep `json:"steps"`
}

// ThresholdStep is one of them; the first has no value.
type ThresholdStep struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Override is the look of one field by name.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher picks fields.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// Property is one property of the look.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}
