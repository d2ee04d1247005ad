package queries_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/queries"
	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// judged are flags and verdicts of random logs of cases, and the sanctions that the oracle makes of them, of shops whose names are
// as bad as names can be.
type judged struct {
	flags     []*chatv1.Flag
	ruled     map[string]bool
	verdicts  []*chatv1.ReviewVerdict
	sanctions []*chatv1.Sanction
}

func judge() *judged {
	out := &judged{ruled: map[string]bool{}}
	for seed := range uint64(30) {
		cases := scenario.GenerateCases(seed)
		word := oracle.RunCases(cases.Policy, cases.Log)
		prefix := fmt.Sprintf("s%d-", seed)
		shop := func(id string) string {
			if id == "" {
				return ""
			}
			return prefix + id + []string{quoted, emoji, dropper, slashed}[seed%4]
		}
		who := func(o *chatv1.Offender) *chatv1.Offender {
			if o.GetKind() == chatv1.OffenderKind_OFFENDER_KIND_SHOP {
				return &chatv1.Offender{Kind: o.Kind, Id: shop(o.Id)}
			}
			return &chatv1.Offender{Kind: o.GetKind(), Id: prefix + o.GetId()}
		}
		seen := map[string]bool{}
		for _, r := range cases.Log {
			if f := r.Case.GetFlag(); f != nil && !seen[oracle.OffenderName(f.Offender)+f.FlagId] {
				seen[oracle.OffenderName(f.Offender)+f.FlagId] = true
				f = f.CloneVT()
				f.FlagId, f.ShopId, f.Offender = prefix+f.FlagId, shop(f.ShopId), who(f.Offender)
				out.flags = append(out.flags, f)
			}
			if v := r.Case.GetVerdict(); v != nil {
				v = v.CloneVT()
				v.FlagId, v.VerdictId, v.Offender = prefix+v.FlagId, prefix+v.VerdictId, who(v.Offender)
				out.verdicts = append(out.verdicts, v)
				out.ruled[v.FlagId] = true
			}
		}
		for _, s := range word.Sanctions {
			s = s.CloneVT()
			s.SanctionId, s.ShopId, s.Offender = prefix+s.SanctionId, shop(s.ShopId), who(s.Offender)
			out.sanctions = append(out.sanctions, s)
		}
	}
	return out
}

func enum(e fmt.Stringer, prefix string) string {
	return strings.ToLower(strings.TrimPrefix(e.String(), prefix))
}

func (j *judged) plant(conn driver.Conn) error {
	p := &planter{ctx: context.Background(), conn: conn, database: "oracle"}
	offender := func(o *chatv1.Offender) (string, string) { return enum(o.Kind, "OFFENDER_KIND_"), o.Id }
	p.rows("violation_flags_data", "offender_kind, offender_id, flag_id, shop_id, conversation_id, time, category, sub_kind, severity, confidence, auto_confirmed, detector, log_offset", func(row func(...any)) {
		for n, f := range j.flags {
			kind, id := offender(f.Offender)
			row(kind, id, f.FlagId, f.ShopId, f.ConversationId, time.UnixMicro(f.AtUs), enum(f.Category, "CATEGORY_"), f.SubKind, enum(f.Severity, "SEVERITY_"), f.Confidence, f.AutoConfirmed, f.Detector, int64(n))
		}
	})
	p.rows("verdicts_data", "offender_kind, offender_id, flag_id, verdict_id, time, ruling, log_offset", func(row func(...any)) {
		for n, v := range j.verdicts {
			kind, id := offender(v.Offender)
			row(kind, id, v.FlagId, v.VerdictId, time.UnixMicro(v.AtUs), "confirmed", int64(n))
		}
	})
	p.rows("sanctions_data", "offender_kind, offender_id, sanction_id, kind, flag_id, category, shop_id, conversation_id, time, until, points, offence, reversed, decided_at, log_offset", func(row func(...any)) {
		for n, s := range j.sanctions {
			kind, id := offender(s.Offender)
			row(kind, id, s.SanctionId, enum(s.Kind, "SANCTION_KIND_"), s.FlagId, enum(s.Category, "CATEGORY_"), s.ShopId, s.ConversationId, time.UnixMicro(s.FromUs), maybeInstant(s.UntilUs), s.Points, s.Offence, s.Reversed, time.UnixMicro(s.DecidedAtUs), int64(n))
		}
	})
	return p.err
}

// Panels about violations show the oracle's sanctions, and the flags and verdicts that led to them.
func TestViolationPanelsShowTheOraclesNumbers(t *testing.T) {
	_, conn := oracles(t)
	j := judge()
	if err := j.plant(conn); err != nil {
		t.Fatal(err)
	}
	times := []int64{}
	shops := map[string]int{}
	for _, f := range j.flags {
		times = append(times, f.AtUs)
		shops[f.ShopId]++
	}
	slices.Sort(times)
	busiest := slices.SortedFunc(maps.Keys(shops), func(a, b string) int { return cmp.Or(shops[b]-shops[a], strings.Compare(a, b)) })
	compared := map[string]int{}
	for _, shop := range append(busiest[:4], queries.All) {
		for _, part := range []int{len(times) / 4, len(times) / 2, len(times) - 1} {
			at := times[part] / 1e6 * 1e6
			v := queries.Values{Shop: shop, Category: queries.All, From: time.UnixMicro(at - 20*86400e6), To: time.UnixMicro(at), Now: time.UnixMicro(at), Step: time.Hour, TimeZone: "Asia/Shanghai"}
			j.compare(shop, at, v, func(id string, want []string, columns ...string) {
				t.Helper()
				compared[id] += len(want)
				if got := picked(t, conn, id, v, columns...); !slices.Equal(got, want) {
					t.Errorf("%s of %s: %d rows, the oracle has %d\ngot  %.600q\nwant %.600q", id, shop, len(got), len(want), got, want)
				}
			})
		}
	}
	for _, id := range []string{"violations.flags", "violations.waiting", "violations.categories", "violations.newest", "violations.sanctions", "violations.points"} {
		if compared[id] == 0 {
			t.Errorf("%s: nothing was compared", id)
		}
	}
}

func (j *judged) compare(shop string, at int64, v queries.Values, check func(id string, want []string, columns ...string)) {
	of := func(id string) bool { return shop == queries.All || id == shop }
	hours, kinds, waiting := map[int64][2]int{}, map[string]int{}, 0
	var newest []*chatv1.Flag
	for _, f := range j.flags {
		if !of(f.ShopId) {
			continue
		}
		if !f.AutoConfirmed && !j.ruled[f.FlagId] {
			waiting++
		}
		if f.AtUs < v.From.UnixMicro() || f.AtUs > v.To.UnixMicro() {
			continue
		}
		hour := hours[f.AtUs-f.AtUs%3_600_000_000]
		if f.AutoConfirmed {
			hour[0]++
		} else {
			hour[1]++
		}
		hours[f.AtUs-f.AtUs%3_600_000_000] = hour
		kinds[enum(f.Category, "CATEGORY_")]++
		newest = append(newest, f)
	}
	var rows []string
	for _, hour := range slices.Sorted(maps.Keys(hours)) {
		rows = append(rows, line(time.UnixMicro(hour).UTC(), hours[hour][0], hours[hour][1]))
	}
	check("violations.flags", rows, "time", "confirmed_at_once", "for_review")
	check("violations.waiting", []string{line(waiting)}, "flags")
	rows = nil
	names := slices.Sorted(maps.Keys(kinds))
	slices.SortStableFunc(names, func(a, b string) int { return kinds[b] - kinds[a] })
	for _, name := range names {
		rows = append(rows, line(name, kinds[name]))
	}
	check("violations.categories", rows, "kind", "flags")
	slices.SortFunc(newest, func(a, b *chatv1.Flag) int {
		return cmp.Or(cmp.Compare(b.AtUs, a.AtUs), strings.Compare(a.FlagId, b.FlagId))
	})
	rows = nil
	for _, f := range newest[:min(len(newest), 200)] {
		rows = append(rows, line(f.ShopId, f.Offender.Id, enum(f.Category, "CATEGORY_"), f.SubKind, enum(f.Severity, "SEVERITY_"), f.Confidence, f.AutoConfirmed, f.Detector))
	}
	check("violations.newest", rows, "shop_id", "offender_id", "category", "sub_kind", "grave", "confidence", "auto_confirmed", "detector")
	j.force(of, at, check)
}

// force holds what is in force at an instant.
func (j *judged) force(of func(shop string) bool, at int64, check func(id string, want []string, columns ...string)) {
	type sum struct {
		points, offences int32
		newest           int64
	}
	var standing []*chatv1.Sanction
	points := map[string]*sum{}
	for _, s := range j.sanctions {
		kind := enum(s.Kind, "SANCTION_KIND_")
		if s.Reversed || s.FromUs > at || s.UntilUs != 0 && s.UntilUs <= at {
			continue
		}
		if of(s.ShopId) && (kind == "mute" || kind == "ban" || kind == "points" || kind == "milestone") {
			standing = append(standing, s)
		}
		if kind == "points" && s.Offender.Kind == chatv1.OffenderKind_OFFENDER_KIND_SHOP && of(s.Offender.Id) {
			if points[s.Offender.Id] == nil {
				points[s.Offender.Id] = &sum{}
			}
			p := points[s.Offender.Id]
			p.points, p.offences, p.newest = p.points+s.Points, p.offences+1, max(p.newest, s.FromUs)
		}
	}
	slices.SortFunc(standing, func(a, b *chatv1.Sanction) int {
		return cmp.Or(cmp.Compare(b.FromUs, a.FromUs), strings.Compare(a.SanctionId, b.SanctionId))
	})
	var rows []string
	for _, s := range standing[:min(len(standing), 500)] {
		rows = append(rows, line(enum(s.Offender.Kind, "OFFENDER_KIND_"), s.Offender.Id, enum(s.Kind, "SANCTION_KIND_"), s.ShopId, maybeInstant(s.UntilUs), s.Points, s.Offence))
	}
	check("violations.sanctions", rows, "who", "offender_id", "sanction", "shop_id", "until", "points", "offence")
	rows = nil
	shops := slices.Sorted(maps.Keys(points))
	slices.SortStableFunc(shops, func(a, b string) int { return int(points[b].points - points[a].points) })
	for _, shop := range shops {
		p := points[shop]
		rows = append(rows, line(shop, p.points, p.offences, time.UnixMicro(p.newest).UTC()))
	}
	check("violations.points", rows, "shop_id", "points", "offences", "newest")
}
