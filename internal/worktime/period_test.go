package worktime

import (
	"strings"
	"testing"
	"time"
)

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	cal := NewCalendar(zone(t, "Asia/Shanghai"))
	good := func(s, start, end string) {
		t.Helper()
		want := Span{us(t, cal.Location(), start+" 00:00:00"), us(t, cal.Location(), end+" 00:00:00")}
		if got, err := cal.ParsePeriod(s); err != nil || got != want {
			t.Errorf("%q = %v, %v, want %v", s, got, err, want)
		}
	}
	good("2026-11-H1", "2026-11-01", "2026-11-16")
	good("2026-11-H2", "2026-11-16", "2026-12-01")
	good("2024-02-H2", "2024-02-16", "2024-03-01")
	good("2026-12-H2", "2026-12-16", "2027-01-01")
	good("2026-11-05", "2026-11-05", "2026-11-06")
	good("2024-02-29", "2024-02-29", "2024-03-01")
	good("2026-12-31", "2026-12-31", "2027-01-01")

	bad := func(s, words string) {
		t.Helper()
		got, err := cal.ParsePeriod(s)
		if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), s) {
			t.Errorf("%q = %v, %v, want an error that says %q", s, got, err, words)
		}
	}
	for _, s := range []string{"", "2026-11", "2026-11-H", "2026/11/05", "2026-11-H12", "26-11-H1"} {
		bad(s, "want a half-month")
	}
	bad("2026-13-H1", `"2026-13" is no month`)
	bad("2026-00-H1", `"2026-00" is no month`)
	bad("0000-01-H1", `"0000-01" is no month`)
	bad("202x-01-H1", `"202x-01" is no month`)
	bad("2026-11-H3", `"H3" is no day`)
	bad("2026-11-31", "want 01 to 30")
	bad("2023-02-29", "want 01 to 28")
	bad("1900-02-29", "want 01 to 28")
	bad("2026-11-00", `"00" is no day`)

	apia := NewCalendar(zone(t, "Pacific/Apia"))
	if got, err := apia.ParsePeriod("2011-12-30"); err == nil || !strings.Contains(err.Error(), "skips it") {
		t.Errorf("the day that Apia skipped = %v, %v", got, err)
	}
}

func FuzzParsePeriod(f *testing.F) {
	for _, s := range []string{"2026-11-H1", "2026-11-05", "2024-02-29", "9999-12-H2", "0001-01-01", "2011-12-30"} {
		f.Add(s)
	}
	loc := zone(f, "Pacific/Apia")
	cal := NewCalendar(loc)
	f.Fuzz(func(t *testing.T, s string) {
		span, err := cal.ParsePeriod(s)
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !strings.Contains(s, "\n") {
				t.Fatalf("%q: more than one line: %v", s, err)
			}
			return
		}
		if span.End <= span.Start {
			t.Fatalf("%q = %v", s, span)
		}
		if y := time.UnixMicro(span.Start).In(loc).Year(); y < 2 || y > 9998 {
			return // at the ends of time the calendar takes the nearest instant
		}
		if cal.FormatPeriod(span.Start) != s && cal.FormatDay(span.Start) != s {
			t.Fatalf("%q = %v, which is %s, %s", s, span, cal.FormatPeriod(span.Start), cal.FormatDay(span.Start))
		}
	})
}

// TestAssessedOn: assessment days are the 1st and the 16th, each for the period just ended.
func TestAssessedOn(t *testing.T) {
	t.Parallel()
	cal := NewCalendar(zone(t, "Asia/Shanghai"))
	check := func(wall, period string) {
		t.Helper()
		got, ok := cal.AssessedOn(us(t, cal.Location(), wall))
		if ok != (period != "") || ok && cal.FormatPeriod(got.Start) != period {
			t.Errorf("on %s: %s, %v, want %q", wall, cal.FormatPeriod(got.Start), ok, period)
		}
	}
	check("2026-11-16 00:00:00", "2026-11-H1")
	check("2026-11-16 23:59:59.999999", "2026-11-H1")
	check("2026-12-01 08:00:00", "2026-11-H2")
	check("2027-01-01 08:00:00", "2026-12-H2")
	check("2024-03-01 08:00:00", "2024-02-H2")
	check("2026-11-15 23:59:59.999999", "")
	check("2026-11-17 00:00:00", "")
	check("2024-02-29 00:00:00", "")

	at := us(t, cal.Location(), "2024-02-20 12:00:00")
	if got := cal.FormatPeriod(cal.Next(at).Start); got != "2024-03-H1" {
		t.Errorf("next is %s", got)
	}
	if got := cal.FormatPeriod(cal.Previous(at).Start); got != "2024-02-H1" {
		t.Errorf("previous is %s", got)
	}
}

// TestCivil goes through 800 years of days.
func TestCivil(t *testing.T) {
	t.Parallel()
	day, _ := divide(time.Date(1599, 12, 31, 0, 0, 0, 0, time.UTC).UnixMicro())
	for at := time.Date(1599, 12, 31, 0, 0, 0, 0, time.UTC); at.Year() < 2401; at = at.AddDate(0, 0, 1) {
		y, m, d := civil(day)
		if int(y) != at.Year() || int(m) != int(at.Month()) || int(d) != at.Day() || dayNumber(y, m, d) != day {
			t.Fatalf("day %d = %d-%d-%d, which is day %d, want %s", day, y, m, d, dayNumber(y, m, d), at.Format(time.DateOnly))
		}
		if last := at.AddDate(0, 0, 1).Day() == 1; last != (daysIn(y, m) == d) {
			t.Fatalf("%d-%d has %d days", y, m, daysIn(y, m))
		}
		day++
	}
}
