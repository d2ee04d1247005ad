package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	check := func(s string, want int64, ok bool) {
		t.Helper()
		if got, gotOK := parseDuration(s); gotOK != ok || ok && got != want {
			t.Errorf("parseDuration(%q) = %d, %v, want %d, %v", s, got, gotOK, want, ok)
		}
	}
	check("0h", 0, true)
	check("180s", 180*second, true)
	check("24h", 24*hour, true)
	check("2d", 48*hour, true)
	check("1d12h", 36*hour, true)
	check("1h30m", 90*minute, true)
	check("90m", 90*minute, true)
	check("5ms", 5000, true)
	check("1m5ms", minute+5000, true)
	check("36500d", 36500*day, true)
	check("36501d", 0, false)
	check("36500d1ms", 0, false)
	for _, s := range []string{"", "5", "h", "1h1h", "1m1h", "-1s", "1.5h", "1 h", "1H", "1h ", "99999999999999999999s", "１h", "1us"} {
		check(s, 0, false)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(200*365*24)*3600*1000).Draw(t, "ms")) * time.Millisecond
		if d.Microseconds() > maxDuration {
			t.Skip()
		}
		// Go writes 1h2m3.5s for fractions; whole seconds it writes as we do.
		d = d.Truncate(time.Second)
		if got, ok := parseDuration(d.String()); !ok || got != d.Microseconds() {
			t.Fatalf("parseDuration(%q) = %d, %v", d, got, ok)
		}
	})
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	check := func(s string, want int, ok bool) {
		t.Helper()
		if got, gotOK := parseSize(s); gotOK != ok || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d, %v", s, got, gotOK, want, ok)
		}
	}
	check("16KiB", 16384, true)
	check("1B", 1, true)
	check("2MiB", 2<<20, true)
	for _, s := range []string{"", "16", "KiB", "-1B", "1.5KiB", "16 KiB", "16kb", "9999999999MiB", "+1B"} {
		check(s, 0, false)
	}
}
