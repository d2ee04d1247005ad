package queries_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/internal/export"
	"github.com/feigeio/feige/internal/report/sheet"
	"github.com/feigeio/feige/internal/worktime"
)

var half = worktime.Span{Start: periodStart.UnixMicro(), End: periodEnd.UnixMicro()}

func exported(t *testing.T, table, shop string, period worktime.Span) (head []string, rows [][]string) {
	t.Helper()
	seeded, _ := engine(t)
	tables, err := export.Find([]string{table})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := export.Write(t.Context(), seeded, &out, export.Options{Format: export.CSV, Tables: tables, Database: "seeded", Period: period, Location: zone, Shop: shop, Verbatim: true}); err != nil {
		t.Fatalf("%s: %v", table, err)
	}
	all, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

// Every table can be exported, for all shops, for each by its name, for nobody, and for a period without rows.
func TestEveryTableIsExported(t *testing.T) {
	for _, table := range export.Tables() {
		period, seen := half, 0
		if table.Name == "decisions" {
			period = worktime.Span{Start: time.Date(2026, 10, 16, 0, 0, 0, 0, shanghai).UnixMicro(), End: half.Start}
		}
		_, all := exported(t, table.Name, "", period)
		for _, s := range shops {
			_, rows := exported(t, table.Name, s.id, period)
			for _, row := range rows {
				if row[0] != s.id {
					t.Errorf("%s of %q: a row of %q", table.Name, s.id, row[0])
				}
			}
			seen += len(rows)
		}
		if len(all) == 0 || seen != len(all) {
			t.Errorf("%s: %d rows, those of the shops are %d", table.Name, len(all), seen)
		}
		if _, rows := exported(t, table.Name, "nobody", period); len(rows) != 0 {
			t.Errorf("%s: %d rows of nobody", table.Name, len(rows))
		}
		if _, rows := exported(t, table.Name, "", worktime.Span{Start: half.End, End: half.End + half.End - half.Start}); len(rows) != 0 {
			t.Errorf("%s: %d rows of a period without any", table.Name, len(rows))
		}
	}
}

// The same figure in Grafana's SQL, the export, the report, and the seed.
func TestFiguresAgreeEverywhere(t *testing.T) {
	seeded, _ := engine(t)
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shops {
		head, rows := exported(t, "shops", s.id, half)
		if len(rows) != 1 {
			t.Fatalf("%q: %d rows", s.id, len(rows))
		}
		cell := func(name string) string { return rows[0][slices.Index(head, name)] }
		number := func(text string) string {
			if text == "" {
				return "NULL"
			}
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return show(v)
		}
		data, err := sheet.Read(t.Context(), seeded, "seeded", s.id, half, worktime.NewCalendar(zone), now)
		if err != nil {
			t.Fatal(err)
		}
		names, values := column(t, "shop.indicators", "indicator", chosen(s.id)), column(t, "shop.indicators", "value", chosen(s.id))
		want := map[string]string{indicators[0]: show(s.rate()), indicators[1]: show(s.wait()), indicators[2]: show(s.dissatisfaction())}
		for i, name := range names {
			reported := "NULL"
			if in := data.Indicators[i]; in.HasValue {
				reported = show(in.Value)
			}
			if values[i] != want[name] || number(cell(name)) != want[name] || data.Indicators[i].Name != name || reported != want[name] {
				t.Errorf("%q %s: Grafana %s, export %s, report %s, want %s", s.id, name, values[i], cell(name), reported, want[name])
			}
		}
		if missed := strings.Join(s.misses(), ", "); cell("missed") != missed {
			t.Errorf("%q: exported as missing %q, want %q", s.id, cell("missed"), missed)
		}
		if got := fmt.Sprint(data.Conversations, " ", data.Ratings); got != fmt.Sprint(s.conversations(), " ", s.ratings) || cell("conversations") != fmt.Sprint(s.conversations()) {
			t.Errorf("%q: the report says %s conversations and ratings", s.id, got)
		}
		var waits, scores int64
		for _, n := range data.Waits {
			waits += n
		}
		for _, n := range data.Scores {
			scores += n
		}
		if waits != int64(s.conversations()) || scores != int64(s.ratings) || data.Points != int64(s.points) || len(data.Days) != 15 || data.Days[days-1].Conversations != int64(s.perDay) || data.Days[days].Rate != -1 {
			t.Errorf("%q: the report has %d waits, %d ratings, %d points, %d days", s.id, waits, scores, data.Points, len(data.Days))
		}
		var page bytes.Buffer
		if err := sheet.HTML(&page, data, sheet.Chinese); err != nil {
			t.Error(err)
		}
		if err := sheet.PDF(&page, data, sheet.Chinese); err != nil {
			t.Error(err)
		}
	}
	data, err := sheet.Read(t.Context(), seeded, "seeded", "nobody", half, worktime.NewCalendar(zone), now)
	if err != nil || data.Known {
		t.Errorf("a report on nobody: known %t, %v", data.Known, err)
	}
}
