package policy

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// durationUnits from the longest; a duration names each at most once, in this order.
var durationUnits = []struct {
	name string
	us   int64
}{
	{"d", 86_400_000_000}, {"h", 3_600_000_000}, {"m", 60_000_000}, {"s", 1_000_000}, {"ms", 1_000},
}

// maxDuration is a hundred years of 365 days.
const maxDuration = 100 * 365 * 86_400_000_000

// parseDuration reads durations such as 24h, 180s, 1h30m, 2d (1d is 24h) into microseconds.
func parseDuration(s string) (us int64, ok bool) {
	next := 0
	for s != "" {
		n := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if n <= 0 {
			return 0, false
		}
		count, err := strconv.ParseInt(s[:n], 10, 64)
		if err != nil {
			return 0, false
		}
		s = s[n:]
		end := strings.IndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' })
		if end < 0 {
			end = len(s)
		}
		found := false
		for i := next; i < len(durationUnits); i++ {
			u := durationUnits[i]
			if s[:end] == u.name {
				if count > (maxDuration-us)/u.us {
					return 0, false
				}
				us += count * u.us
				next, found = i+1, true
				break
			}
		}
		if !found {
			return 0, false
		}
		s = s[end:]
	}
	return us, next > 0
}

// parseSize reads sizes such as 16KiB into bytes.
func parseSize(s string) (bytes int, ok bool) {
	unit := int64(1)
	switch {
	case strings.HasSuffix(s, "KiB"):
		s, unit = s[:len(s)-3], 1<<10
	case strings.HasSuffix(s, "MiB"):
		s, unit = s[:len(s)-3], 1<<20
	case strings.HasSuffix(s, "B"):
		s = s[:len(s)-1]
	default:
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n > math.MaxInt32/uint64(unit) {
		return 0, false
	}
	return int(int64(n) * unit), true
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
