package worktime

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseHours(t *testing.T) {
	t.Parallel()
	good := func(want string, windows ...string) {
		t.Helper()
		h, err := ParseHours(windows)
		if err != nil || h.String() != want {
			t.Errorf("%q = %s, %v, want %s", windows, h, err, want)
		}
		if again, err := ParseHours(h.Windows()); err != nil || again.String() != want || again.DailyUS() != h.DailyUS() {
			t.Errorf("%q read back as %s, %v", windows, again, err)
		}
	}
	good("")
	good("08:00-23:00", "08:00-23:00")
	good("00:00-24:00", "00:00:00-24:00:00")
	good("08:00:01-22:59:59", "08:00:01-22:59:59")
	good("08:00-12:00,12:00-18:00", "12:00-18:00", "08:00-12:00")
	good("22:00-24:00", "22:00-24:00")
	good("00:00-00:00:01", "00:00-00:00:01")

	bad := func(index int, problem string, windows ...string) {
		t.Helper()
		h, err := ParseHours(windows)
		var wrong *WindowError
		if !errors.As(err, &wrong) || wrong.Index != index || wrong.Window != windows[index] || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q = %s, %v, want problem %q of window %d", windows, h, err, problem, index)
		}
	}
	bad(1, `overlaps window 0 "08:00-12:00"`, "08:00-12:00", "11:00-13:00")
	bad(1, `overlaps window 0 "11:00-13:00"`, "11:00-13:00", "08:00-12:00")
	bad(2, `overlaps window 0 "08:00-23:00"`, "08:00-23:00", "23:30-24:00", "09:00-10:00")
	bad(1, "overlaps window 0", "08:00-12:00", "08:00-12:00")
	bad(0, "not after its start", "22:00-06:00")
	bad(0, "not after its start", "08:00-08:00")
	for _, s := range []string{"", "-", "08:00", "8:00-23:00", "08:00-25:00", "24:00-24:00", "08:60-09:00", "08:00:60-09:00",
		"08:00-24:00:01", "08.00-23.00", "08:00–23:00", " 08:00-23:00", "08:00-23:00 ", "0a:00-23:00", "08:00-23:00-24:00", "+8:00-23:00", "08:00:-23:00"} {
		bad(0, "want", s)
	}
	if !new(Hours).IsZero() || hours(t, "08:00-09:00").IsZero() || hours(t, "08:00-09:00", "10:00-10:00:01").DailyUS() != hourUS+secondUS {
		t.Error("IsZero or DailyUS is wrong")
	}
}

// FuzzParseHours: what is taken can be written, read back, and never overlaps.
func FuzzParseHours(f *testing.F) {
	f.Add("08:00-23:00")
	f.Add("08:00-12:00,13:00:30-24:00")
	f.Add("23:00-08:00,,")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHours(strings.Split(s, ","))
		if err != nil {
			return
		}
		again, err := ParseHours(h.Windows())
		if err != nil || !slices.Equal(again.windows, h.windows) {
			t.Fatalf("%q: %s read back as %s, %v", s, h, again, err)
		}
		last, sum := int64(0), int64(0)
		for _, w := range h.windows {
			if w.start < last || w.end <= w.start || w.end > dayUS {
				t.Fatalf("%q: window %v after %d", s, w, last)
			}
			last, sum = w.end, sum+w.end-w.start
		}
		if sum != h.DailyUS() {
			t.Fatalf("%q: %d a day, want %d", s, h.DailyUS(), sum)
		}
	})
}
