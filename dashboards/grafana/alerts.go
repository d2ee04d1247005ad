package grafana

import (
	"fmt"
	"time"

	gapi "github.com/grafana/grafana-api-golang-client"

	"github.com/feigeio/feige/dashboards/queries"
)

const (
	alertGroup = "feige"
	// alertInterval is how often rules are looked at, in seconds.
	alertInterval = 60
	// expression is the data source of Grafana's own arithmetic.
	expression = "__expr__"
)

// alertRules are a group: each a query of one number, and a threshold on it.
func (b Builder) alertRules(folder string) gapi.RuleGroup {
	group := gapi.RuleGroup{Title: alertGroup, FolderUID: folder, Interval: alertInterval}
	for _, a := range queries.Alerts() {
		target := b.target("A", a.SQL, false)
		number := normal(target).(map[string]any)
		number["intervalMs"], number["maxDataPoints"] = 1000, 43200
		group.Rules = append(group.Rules, gapi.AlertRule{
			UID: b.uid(a.ID), Title: a.Title.In(b.Lang), FolderUID: folder, RuleGroup: alertGroup, Condition: "B", OrgID: 1,
			For: fmt.Sprintf("%dm", a.Minutes), ForDuration: time.Duration(a.Minutes) * time.Minute, NoDataState: gapi.NoDataOk, ExecErrState: gapi.ErrError,
			Annotations: map[string]string{"summary": a.About.In(b.Lang)},
			Labels:      map[string]string{"product": b.Prefix},
			Data: []*gapi.AlertQuery{ // the library writes the range as it stands; Grafana reads seconds
				{RefID: "A", DatasourceUID: b.ClickHouseUID, RelativeTimeRange: gapi.RelativeTimeRange{From: 600}, Model: number},
				{RefID: "B", DatasourceUID: expression, Model: map[string]any{
					"refId": "B", "type": "threshold", "expression": "A", "datasource": map[string]any{"type": expression, "uid": expression},
					"intervalMs": 1000, "maxDataPoints": 43200,
					"conditions": []any{map[string]any{"type": "query", "evaluator": map[string]any{"type": "gt", "params": []float64{a.Above}}}},
				}},
			},
		})
	}
	return group
}

// contactPoint is nil where nobody is to be told.
func (b Builder) contactPoint(to Contact) *gapi.ContactPoint {
	p := &gapi.ContactPoint{UID: b.uid("contact"), Name: b.Prefix}
	switch {
	case to.Emails != "":
		p.Type, p.Settings = "email", map[string]any{"addresses": to.Emails, "singleEmail": true}
	case to.Webhook != "":
		p.Type, p.Settings = "webhook", map[string]any{"url": to.Webhook, "httpMethod": "POST"}
	default:
		return nil
	}
	return p
}

// route sends what carries our label to our contact point.
func (b Builder) route() gapi.SpecificPolicy {
	return gapi.SpecificPolicy{Receiver: b.Prefix, ObjectMatchers: gapi.Matchers{{Type: gapi.MatchEqual, Name: "product", Value: b.Prefix}}}
}
