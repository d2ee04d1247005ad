package worktime

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones covers one offset for good, summer time, half-hour shifts, midnight that is skipped or comes
// twice, a clock set back across midnight, skipped and repeated days, and Shanghai's summers.
var zones = []string{
	"UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana",
	"America/St_Johns", "Pacific/Apia", "Asia/Manila", "Africa/Cairo", "Asia/Kathmandu", "Europe/Dublin",
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func hours(t testing.TB, windows ...string) Hours {
	t.Helper()
	h, err := ParseHours(windows)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// us reads a wall-clock time of a zone.
func us(t testing.TB, loc *time.Location, wall string) int64 {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05.999999", wall, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

func TestIn(t *testing.T) {
	t.Parallel()
	h := hours(t, "08:00-23:00")
	for _, name := range []string{"Asia/Shanghai", "UTC", "America/New_York"} {
		loc := zone(t, name)
		cal := NewCalendar(loc)
		check := func(wall string, want bool) {
			t.Helper()
			if got := cal.In(h, us(t, loc, wall)); got != want {
				t.Errorf("%s: In(%s) = %v, want %v", name, wall, got, want)
			}
		}
		check("2026-11-05 07:59:59.999999", false)
		check("2026-11-05 08:00:00", true)
		check("2026-11-05 22:59:00", true)
		check("2026-11-05 22:59:59.999999", true)
		check("2026-11-05 23:00:00", false)
		check("2026-11-05 00:00:00", false)
		check("2026-11-05 23:59:59.999999", false)
		check("1969-07-20 22:59:59.999999", true)
		check("1969-07-20 23:00:00", false)
		check("2024-02-29 08:00:00", true)
	}
}

func TestHalfMonth(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Asia/Shanghai", "UTC", "America/New_York"} {
		loc := zone(t, name)
		cal := NewCalendar(loc)
		check := func(wall, start, end, period string) {
			t.Helper()
			at := us(t, loc, wall)
			want := Span{us(t, loc, start+" 00:00:00"), us(t, loc, end+" 00:00:00")}
			if got := cal.HalfMonth(at); got != want {
				t.Errorf("%s: HalfMonth(%s) = %v, want %v", name, wall, got, want)
			}
			if got := cal.FormatPeriod(at); got != period {
				t.Errorf("%s: FormatPeriod(%s) = %q, want %q", name, wall, got, period)
			}
			if got, err := cal.ParsePeriod(period); err != nil || got != want {
				t.Errorf("%s: ParsePeriod(%q) = %v, %v, want %v", name, period, got, err, want)
			}
		}
		check("2026-11-01 00:00:00", "2026-11-01", "2026-11-16", "2026-11-H1")
		check("2026-11-15 23:59:59.999999", "2026-11-01", "2026-11-16", "2026-11-H1")
		check("2026-11-16 00:00:00", "2026-11-16", "2026-12-01", "2026-11-H2")
		check("2026-11-30 23:59:59.999999", "2026-11-16", "2026-12-01", "2026-11-H2")
		check("2026-12-31 23:59:59.999999", "2026-12-16", "2027-01-01", "2026-12-H2")
		check("2027-01-31 12:00:00", "2027-01-16", "2027-02-01", "2027-01-H2")
		check("2027-02-28 23:59:59.999999", "2027-02-16", "2027-03-01", "2027-02-H2")
		check("2024-02-29 23:59:59.999999", "2024-02-16", "2024-03-01", "2024-02-H2")
		check("2000-02-29 00:00:00", "2000-02-16", "2000-03-01", "2000-02-H2")
		check("1900-02-28 23:59:59.999999", "1900-02-16", "1900-03-01", "1900-02-H2")
		check("2100-02-28 23:59:59.999999", "2100-02-16", "2100-03-01", "2100-02-H2")
		check("1969-12-31 23:59:59.999999", "1969-12-16", "1970-01-01", "1969-12-H2")
	}
}

// TestAgainstTime compares everything with a plain reading of package time.
func TestAgainstTime(t *testing.T) {
	t.Parallel()
	for _, name := range zones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, name)
			cal := NewCalendar(loc)
			rapid.Check(t, func(t *rapid.T) {
				at := drawInstant(t, loc)
				h := drawHours(t)
				wall := time.UnixMicro(at).In(loc)
				tod := int64(wall.Hour())*hourUS + int64(wall.Minute())*minuteUS + int64(wall.Second())*secondUS + int64(wall.Nanosecond()/1000)
				in := false
				for _, w := range h.windows {
					in = in || tod >= w.start && tod < w.end
				}
				if got := cal.In(h, at); got != in {
					t.Fatalf("In(%s, %s) = %v", h, wall, got)
				}
				day, half := cal.Day(at), cal.HalfMonth(at)
				if !day.Contains(at) || !half.Contains(at) || day.Start < half.Start || day.End > half.End {
					t.Fatalf("%s: day %v, half-month %v", wall, day, half)
				}
				if cal.Day(day.Start) != day || cal.Day(day.End-1) != day || cal.Day(day.End).Start != day.End {
					t.Fatalf("%s: day %v does not meet its neighbours", wall, day)
				}
				if cal.HalfMonth(half.Start) != half || cal.HalfMonth(half.End-1) != half || cal.HalfMonth(half.End).Start != half.End {
					t.Fatalf("%s: half-month %v does not meet its neighbours", wall, half)
				}
				// Read day by day: the clock first reaches the date's midnight at the day's start.
				date := time.UnixMicro(day.Start).In(loc)
				before := time.UnixMicro(day.Start - 1).In(loc)
				if number(date) <= number(before) {
					t.Fatalf("%s: its day starts at %s, just after %s", wall, date, before)
				}
				if number(wall) > number(date) {
					t.Fatalf("%s: its day starts on an earlier date, %s", wall, date)
				}
				from, until := 1, 16
				if date.Day() > 15 {
					from, until = 16, 1
				}
				if s := time.UnixMicro(half.Start).In(loc); s.Day() != from || s.Month() != date.Month() || s.Year() != date.Year() {
					t.Fatalf("%s: half-month starts at %s", wall, s)
				}
				if e := time.UnixMicro(half.End).In(loc); e.Day() != until {
					t.Fatalf("%s: half-month ends at %s", wall, e)
				}
				if p, err := cal.ParsePeriod(cal.FormatPeriod(at)); err != nil || p != half {
					t.Fatalf("%s: period %q = %v, %v, want %v", wall, cal.FormatPeriod(at), p, err, half)
				}
				if p, err := cal.ParsePeriod(cal.FormatDay(at)); err != nil || p != day {
					t.Fatalf("%s: day %q = %v, %v, want %v", wall, cal.FormatDay(at), p, err, day)
				}
			})
		})
	}
}

func number(t time.Time) int { return t.Year()*10000 + int(t.Month())*100 + t.Day() }

// drawInstant prefers the neighbourhood of clock shifts, midnights, and window edges.
func drawInstant(t *rapid.T, loc *time.Location) int64 {
	from := time.Date(1880, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	until := time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	at := rapid.Int64Range(from, until).Draw(t, "at")
	switch rapid.IntRange(0, 3).Draw(t, "near") {
	case 0:
		if start, _ := time.UnixMicro(at).In(loc).ZoneBounds(); !start.IsZero() {
			at = start.UnixMicro() + rapid.Int64Range(-30*hourUS, 30*hourUS).Draw(t, "from shift")
		}
	case 1:
		w := time.UnixMicro(at).In(loc)
		edge := time.Date(w.Year(), w.Month(), w.Day(), rapid.SampledFrom([]int{0, 8, 23, 24}).Draw(t, "edge"), 0, 0, 0, loc)
		at = edge.UnixMicro() + rapid.Int64Range(-2, 2).Draw(t, "from edge")
	case 2:
		w := time.UnixMicro(at).In(loc)
		edge := time.Date(w.Year(), w.Month(), rapid.SampledFrom([]int{1, 16}).Draw(t, "day"), 0, 0, 0, 0, loc)
		at = edge.UnixMicro() + rapid.Int64Range(-2, 2).Draw(t, "from edge")
	}
	return at
}

func drawHours(t *rapid.T) Hours {
	edges := rapid.SliceOfNDistinct(rapid.IntRange(0, 86400), 0, 8, rapid.ID).Draw(t, "edges")
	if len(edges)%2 == 1 {
		edges = edges[1:]
	}
	slices.Sort(edges)
	var windows []string
	for i := 0; i < len(edges); i += 2 {
		windows = append(windows, formatClock(int64(edges[i])*secondUS)+"-"+formatClock(int64(edges[i+1])*secondUS))
	}
	h, err := ParseHours(windows)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
