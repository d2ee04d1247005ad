package worktime

import (
	"math"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestShifts: days on which the clock shifts.
func TestShifts(t *testing.T) {
	t.Parallel()
	check := func(name, date, start, end string, open time.Duration) {
		t.Helper()
		cal := NewCalendar(zone(t, name))
		day, err := cal.ParsePeriod(date)
		if err != nil {
			t.Fatal(err)
		}
		utc := func(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05") }
		if utc(day.Start) != start || utc(day.End) != end {
			t.Errorf("%s, %s: %s to %s, want %s to %s", name, date, utc(day.Start), utc(day.End), start, end)
		}
		if got := time.Duration(cal.Overlap(hours(t, "00:30-03:30"), day.Start, day.End)) * time.Microsecond; got != open {
			t.Errorf("%s, %s: 00:30-03:30 is open for %s, want %s", name, date, got, open)
		}
	}
	const usual = 3 * time.Hour
	check("Asia/Shanghai", "2026-11-05", "2026-11-04T16:00:00", "2026-11-05T16:00:00", usual)
	// Shanghai's summers of 1986 to 1991: the clock went from 02:00 to 03:00, and back.
	check("Asia/Shanghai", "1986-05-04", "1986-05-03T16:00:00", "1986-05-04T15:00:00", usual-time.Hour)
	check("Asia/Shanghai", "1986-07-01", "1986-06-30T15:00:00", "1986-07-01T15:00:00", usual)
	check("Asia/Shanghai", "1986-09-14", "1986-09-13T15:00:00", "1986-09-14T16:00:00", usual+time.Hour)
	check("Asia/Shanghai", "1992-07-01", "1992-06-30T16:00:00", "1992-07-01T16:00:00", usual)
	check("America/New_York", "2026-03-08", "2026-03-08T05:00:00", "2026-03-09T04:00:00", usual-time.Hour)
	check("America/New_York", "2026-11-01", "2026-11-01T04:00:00", "2026-11-02T05:00:00", usual+time.Hour)
	check("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00", "2026-10-04T13:00:00", usual-30*time.Minute)
	// Midnight was skipped: the day begins at 01:00.
	check("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00", "2018-11-05T02:00:00", usual-30*time.Minute)
	// The last hour of the 17th came twice.
	check("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00", "2018-02-18T03:00:00", usual)
	// At 00:01 the clock went back to 23:01 of the day before: the new day had begun, and goes on.
	check("America/St_Johns", "2006-10-29", "2006-10-29T02:30:00", "2006-10-30T03:30:00", usual)
	// Apia went from the end of the 29th to the 31st.
	check("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00", "2011-12-30T10:00:00", usual)
	check("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00", "2011-12-31T10:00:00", usual)
}

// TestOverlap compares with adding up day by day, and then minute by minute around it.
func TestOverlap(t *testing.T) {
	t.Parallel()
	cal := NewCalendar(zone(t, "Asia/Shanghai"))
	h := hours(t, "08:00-12:00", "13:00-23:00")
	check := func(from, to string, want time.Duration) {
		t.Helper()
		a, b := us(t, cal.Location(), from), us(t, cal.Location(), to)
		if got := time.Duration(cal.Overlap(h, a, b)) * time.Microsecond; got != want {
			t.Errorf("%s to %s: %s, want %s", from, to, got, want)
		}
	}
	check("2026-11-05 00:00:00", "2026-11-06 00:00:00", 14*time.Hour)
	check("2026-11-05 07:59:59.999999", "2026-11-05 08:00:00.000001", time.Microsecond)
	check("2026-11-05 22:59:59.999999", "2026-11-05 23:00:00.000001", time.Microsecond)
	check("2026-11-05 12:00:00", "2026-11-05 13:00:00", 0)
	check("2026-11-05 22:00:00", "2026-11-08 09:00:00", time.Hour+2*14*time.Hour+time.Hour)
	check("2026-11-05 09:00:00", "2026-11-05 09:00:00", 0)
	check("2026-11-05 09:00:00", "2026-11-05 08:00:00", 0)
	check("2024-02-16 00:00:00", "2024-03-01 00:00:00", 14*14*time.Hour)
	check("2000-01-01 00:00:00", "2400-01-01 00:00:00", 146_097*14*time.Hour)
	if got := cal.Overlap(Hours{}, 0, dayUS); got != 0 {
		t.Errorf("no window is open for %d", got)
	}
}

func TestOverlapAgainstIn(t *testing.T) {
	t.Parallel()
	for _, name := range zones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, name)
			cal := NewCalendar(loc)
			rapid.Check(t, func(t *rapid.T) {
				h := drawHours(t)
				from := drawInstant(t, loc)
				from -= from % secondUS
				length := rapid.Int64Range(0, 3*dayUS).Draw(t, "length")
				to := from + length - length%secondUS
				// Windows and shifts are to the second, so that In holds for the second it is asked at.
				var want int64
				step := secondUS
				if to-from > hourUS {
					step = 977 * secondUS
				}
				for at := from; at < to; at += step {
					next := min(at+step, to)
					got := cal.Overlap(h, at, next)
					want += got
					switch open := cal.In(h, at); {
					case step == secondUS && open && got != secondUS, step == secondUS && !open && got != 0:
						t.Fatalf("second %d: open %v, overlap %d", at, open, got)
					case got < 0 || got > next-at:
						t.Fatalf("%d to %d: overlap %d", at, next, got)
					}
				}
				if got := cal.Overlap(h, from, to); got != want {
					t.Fatalf("%d to %d: %d, parts add up to %d", from, to, got, want)
				}
			})
		})
	}
}

// TestEndsOfTime: an absurd instant is taken for the nearest one that has a calendar.
func TestEndsOfTime(t *testing.T) {
	t.Parallel()
	for _, name := range zones {
		cal := NewCalendar(zone(t, name))
		for _, at := range []int64{math.MinInt64, math.MinInt64 + 1, -1 << 60, 1 << 60, math.MaxInt64} {
			day, half := cal.Day(at), cal.HalfMonth(at)
			if day.Start >= day.End || half.Start > day.Start || half.End < day.End {
				t.Errorf("%s: %d is in day %v, half-month %v", name, at, day, half)
			}
			cal.In(hours(t, "08:00-23:00"), at)
		}
		if got := cal.Overlap(hours(t, "00:00-24:00"), math.MinInt64, math.MaxInt64); got <= 0 {
			t.Errorf("%s: all of time is %d", name, got)
		}
	}
}

// TestAllocations is not parallel, as allocations are counted for the whole process.
func TestAllocations(t *testing.T) {
	for _, name := range []string{"Asia/Shanghai", "America/New_York"} {
		cal := NewCalendar(zone(t, name))
		h := hours(t, "08:00-23:00")
		at := us(t, cal.Location(), "2026-11-01 01:30:00")
		var sum int64
		n := testing.AllocsPerRun(100, func() {
			if cal.In(h, at) {
				sum++
			}
			sum += cal.Day(at).Start + cal.HalfMonth(at).Start + cal.Overlap(h, at, at+40*dayUS)
			at += 7 * hourUS
		})
		if n != 0 || sum == 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	cal := NewCalendar(zone(t, "America/New_York"))
	h := hours(t, "08:00-23:00")
	want := cal.Day(0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range int64(5000) {
				cal.In(h, i*hourUS)
				cal.HalfMonth(i * hourUS)
				if got := cal.Day(i % 3 * hourUS); got != want {
					t.Errorf("day %v, want %v", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}
