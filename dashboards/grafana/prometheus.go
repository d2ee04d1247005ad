package grafana

import "github.com/feigeio/feige/dashboards/queries"

// prometheusPanels are what only the processes' own metrics can tell.
func (b Builder) prometheusPanels() []Panel {
	source := Ref{Type: PrometheusType, UID: b.PrometheusUID}
	curve := func(title queries.Text, unit, expr, legend string) Panel {
		return Panel{
			Type: "timeseries", Title: title.In(b.Lang), Datasource: &source, Options: panelOptions(queries.Series),
			Targets: []any{PrometheusTarget{RefID: "A", Datasource: source, Expr: expr, LegendFormat: legend, Range: true}},
			FieldConfig: FieldConfig{
				Defaults:  Field{Unit: unit, NoValue: "–", Color: map[string]any{"mode": "palette-classic"}, Custom: map[string]any{"fillOpacity": 10, "lineWidth": 2}},
				Overrides: []Override{},
			},
		}
	}
	return []Panel{
		curve(queries.Text{ZH: "处理器滞后（记录）", EN: "Lag of processors, records"}, "locale", "feige_processor_lag_records", "{{instance}} {{group}} {{topic}} {{partition}}"),
		curve(queries.Text{ZH: "写入速率（记录/秒）", EN: "Records stored per second"}, "locale", "sum by (instance) (rate(feige_sinks_records_total[$__rate_interval]))", "{{instance}}"),
		curve(queries.Text{ZH: "处理器重启", EN: "Restarts of processors"}, "locale", "increase(feige_processor_restarts_total[$__rate_interval])", "{{instance}} {{group}}"),
		curve(queries.Text{ZH: "写入重试", EN: "Retries of sinks"}, "locale", "increase(feige_sinks_retries_total[$__rate_interval])", "{{instance}} {{sink}}"),
		curve(queries.Text{ZH: "存储不可用", EN: "Engine away"}, "locale", "feige_sinks_engine_away", "{{instance}} {{sink}}"),
		curve(queries.Text{ZH: "死信速率", EN: "Dead letters"}, "locale", "increase(feige_processor_dead_letters_total[$__rate_interval]) or increase(feige_sinks_dead_letters_total[$__rate_interval])", "{{instance}} {{group}}{{sink}}"),
	}
}
