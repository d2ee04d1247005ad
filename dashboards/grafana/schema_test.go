package grafana

import (
	"encoding/json"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/feigeio/feige/dashboards/queries"
)

// Every board is a dashboard by Grafana's own schema, strictly: no field that it does not know, none of another type, none that
// must be there missing; panels' options and Prometheus' queries included.
func TestBoardsMeetGrafanasSchema(t *testing.T) {
	t.Parallel()
	plugins.RegisterDefaultPlugins()
	check := func(data []byte) error {
		var d dashboard.Dashboard //nolint:staticcheck // the form that Grafana 10 takes, too
		for _, err := range []error{d.UnmarshalJSONStrict(data), d.Validate()} {
			if err != nil && err.Error() != "" { // no faults are an empty list of them
				return err
			}
		}
		return nil
	}
	for _, lang := range []queries.Lang{queries.English, queries.Chinese} {
		for _, prometheus := range []string{"", "prom"} {
			boards := builder(lang, prometheus).Boards()
			if len(boards) < 8 {
				t.Fatalf("%d boards", len(boards))
			}
			for _, board := range boards {
				data, err := json.Marshal(board)
				if err != nil {
					t.Fatal(err)
				}
				if err := check(data); err != nil {
					t.Errorf("%s %s %q: %.2000v", board.UID, lang, prometheus, err)
				}
				// The check notices faults.
				for _, broken := range []func(d map[string]any){
					func(d map[string]any) { d["colour"] = "red" },
					func(d map[string]any) { d["panels"].([]any)[0].(map[string]any)["options"] = map[string]any{"x": 1} },
					func(d map[string]any) { d["schemaVersion"] = "new" },
					func(d map[string]any) { d["panels"].([]any)[0].(map[string]any)["gridPos"] = []int{1} },
				} {
					var d map[string]any
					if err := json.Unmarshal(data, &d); err != nil {
						t.Fatal(err)
					}
					broken(d)
					again, err := json.Marshal(d)
					if err != nil {
						t.Fatal(err)
					}
					if check(again) == nil {
						t.Errorf("%s: a fault is not noticed", board.UID)
					}
				}
			}
		}
	}
}
