package decisions

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Indicator is one figure of a window, or of a decision as its evidence.
type Indicator struct {
	Name string `json:"name"`
	// Value is left out where the denominator is empty.
	Value      *float64 `json:"value,omitempty"`
	Samples    int64    `json:"samples"`
	Standard   *float64 `json:"standard,omitempty"`
	Comparison string   `json:"comparison,omitempty"`
	Verdict    string   `json:"verdict"`
	Definition string   `json:"definition,omitempty"`
}

// Decision is the assessment of a shop for one half-month.
type Decision struct {
	ShopID        string   `json:"shopId"`
	Period        string   `json:"period"`
	PeriodStartUS int64    `json:"periodStartUs"`
	PeriodEndUS   int64    `json:"periodEndUs"`
	Revision      int32    `json:"revision"`
	Newest        bool     `json:"newest"`
	Restricted    bool     `json:"restricted"`
	Restrictions  []string `json:"restrictions"`
	// RestrictedFromUS and RestrictedUntilUS are 0 when not restricted.
	RestrictedFromUS  int64       `json:"restrictedFromUs"`
	RestrictedUntilUS int64       `json:"restrictedUntilUs"`
	Missed            []string    `json:"missed"`
	Evidence          []Indicator `json:"evidence"`
	PolicyVersion     string      `json:"policyVersion"`
	CheckpointSeconds int64       `json:"checkpointSeconds"`
}

// Restrictions answers whether a shop is restricted at an instant.
type Restrictions struct {
	ShopID     string `json:"shopId"`
	AtUS       int64  `json:"atUs,omitempty"`
	Restricted bool   `json:"restricted"`
	// Restrictions in force, of all decisions together.
	Restrictions []string `json:"restrictions"`
	// UntilUS is when the last of them ends; 0 when not restricted.
	UntilUS   int64      `json:"untilUs"`
	Decisions []Decision `json:"decisions"`
}

// Window is a running day or half-month.
type Window struct {
	Kind    string `json:"kind"`
	StartUS int64  `json:"startUs"`
	EndUS   int64  `json:"endUs"`
	// Final: nothing counts in it any more.
	Final         bool        `json:"final"`
	Version       int64       `json:"version"`
	PolicyVersion string      `json:"policyVersion"`
	Indicators    []Indicator `json:"indicators"`
}

func indicators(in []*chatv1.Indicator) []Indicator {
	out := make([]Indicator, 0, len(in))
	for _, i := range in {
		s := Indicator{Name: i.Name, Samples: i.Samples, Verdict: strings.ToLower(strings.TrimPrefix(i.Verdict.String(), "VERDICT_")), Definition: i.Definition}
		if i.HasValue {
			s.Value = &i.Value
		}
		if i.HasStandard {
			s.Standard, s.Comparison = &i.Standard, i.Comparison
		}
		out = append(out, s)
	}
	return out
}

func (a *API) shape(d *chatv1.Decision, newest bool) Decision {
	out := Decision{ShopID: d.ShopId, Period: a.deps.Policy.Calendar().FormatPeriod(d.PeriodStartUs), PeriodStartUS: d.PeriodStartUs, PeriodEndUS: d.PeriodEndUs, Revision: d.Revision,
		Newest: newest, Restricted: d.Restricted, Restrictions: append([]string{}, d.Restrictions...), RestrictedFromUS: d.RestrictedFromUs, RestrictedUntilUS: d.RestrictedUntilUs,
		Missed: append([]string{}, d.Missed...), Evidence: indicators(d.Evidence), PolicyVersion: d.PolicyVersion, CheckpointSeconds: d.CheckpointSeconds}
	return out
}

// instant is the query's at, or now. given tells which.
func (a *API) instant(r *http.Request) (at int64, given bool, p *problem) {
	text := r.URL.Query().Get("atUs")
	if text == "" {
		return a.deps.NowUS(), false, nil
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false, problemf(http.StatusBadRequest, "bad_request", "atUs is no time in microseconds")
	}
	return at, true, nil
}

func (a *API) restrictions(r *http.Request, shop string) (any, *problem) {
	at, given, p := a.instant(r)
	if p != nil {
		return nil, p
	}
	out := Restrictions{ShopID: shop, Restrictions: []string{}, Decisions: []Decision{}}
	if given {
		out.AtUS = at // without it the answer stays the same as long as nothing changes
	}
	seen := map[string]bool{}
	for _, d := range a.view.inForce(shop, at) {
		out.Restricted = true
		out.UntilUS = max(out.UntilUS, d.RestrictedUntilUs)
		out.Decisions = append(out.Decisions, a.shape(d, true))
		for _, name := range d.Restrictions {
			if !seen[name] {
				seen[name] = true
				out.Restrictions = append(out.Restrictions, name)
			}
		}
	}
	return out, nil
}

func (a *API) decisions(r *http.Request, shop string) (any, *problem) {
	var from, to int64 = 0, 1<<63 - 1
	if text := r.URL.Query().Get("period"); text != "" {
		span, err := a.deps.Policy.Calendar().ParsePeriod(text)
		if err != nil {
			return nil, problemf(http.StatusBadRequest, "bad_request", "period: want such as 2026-11-H1")
		}
		from, to = span.Start, span.End
	}
	out := struct {
		ShopID    string     `json:"shopId"`
		Decisions []Decision `json:"decisions"`
	}{shop, []Decision{}}
	last := int64(-1 << 62)
	for _, d := range a.view.decisions(shop) {
		if d.PeriodStartUs >= from && d.PeriodStartUs < to {
			out.Decisions = append(out.Decisions, a.shape(d, d.PeriodStartUs != last))
		}
		last = d.PeriodStartUs
	}
	return out, nil
}

func (a *API) kpis(_ *http.Request, shop string) (any, *problem) {
	out := struct {
		ShopID string `json:"shopId"`
		// TickUS is up to when time has come for the shop.
		TickUS  int64    `json:"tickUs"`
		Windows []Window `json:"windows"`
	}{ShopID: shop, Windows: []Window{}}
	value, tick := a.view.state(shop, schemas.Partition(shop, a.deps.Broker.Partitions))
	if value == nil {
		if !a.view.known(shop) {
			return nil, problemf(http.StatusNotFound, "not_found", "nothing is known of the shop")
		}
		return out, nil
	}
	var st statev1.Service
	if err := st.UnmarshalVT(value); err != nil {
		return nil, problemf(http.StatusInternalServerError, "internal", "the shop's state cannot be read")
	}
	out.TickUS = tick
	for _, w := range st.Windows {
		if w.SourcePlusOne == 0 {
			continue // bot time alone makes no window
		}
		k := a.assessor.Snapshot(&st, w, shop, a.assessor.Final(w.Kind, w.StartUs, tick))
		out.Windows = append(out.Windows, Window{Kind: strings.ToLower(strings.TrimPrefix(k.Kind.String(), "WINDOW_KIND_")), StartUS: k.StartUs, EndUS: k.EndUs, Final: k.Final,
			Version: k.Version, PolicyVersion: k.PolicyVersion, Indicators: indicators(k.Indicators)})
	}
	return out, nil
}

func (a *API) shops(r *http.Request, _ string) (any, *problem) {
	q := r.URL.Query()
	at, _, p := a.instant(r)
	if p != nil {
		return nil, p
	}
	limit := 100
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return nil, problemf(http.StatusBadRequest, "bad_request", "limit is not in 1 to 1000")
		}
		limit = n
	}
	restricted := false
	switch q.Get("restricted") {
	case "", "false":
	case "true":
		restricted = true
	default:
		return nil, problemf(http.StatusBadRequest, "bad_request", "restricted is neither true nor false")
	}
	ids, more := a.view.list(q.Get("cursor"), restricted, at, limit)
	type item struct {
		ShopID       string   `json:"shopId"`
		Restricted   bool     `json:"restricted"`
		Restrictions []string `json:"restrictions"`
		UntilUS      int64    `json:"untilUs"`
	}
	out := struct {
		Items []item `json:"items"`
		Next  string `json:"next,omitempty"`
	}{Items: []item{}}
	for _, id := range ids {
		i := item{ShopID: id, Restrictions: []string{}}
		seen := map[string]bool{}
		for _, d := range a.view.inForce(id, at) {
			i.Restricted, i.UntilUS = true, max(i.UntilUS, d.RestrictedUntilUs)
			for _, name := range d.Restrictions {
				if !seen[name] {
					seen[name] = true
					i.Restrictions = append(i.Restrictions, name)
				}
			}
		}
		out.Items = append(out.Items, i)
	}
	if more {
		out.Next = ids[len(ids)-1]
	}
	return out, nil
}
