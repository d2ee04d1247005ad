package worktime

import (
	"fmt"
	"slices"
	"strings"
)

const (
	secondUS = int64(1_000_000)
	minuteUS = 60 * secondUS
	hourUS   = 60 * minuteUS
	dayUS    = 24 * hourUS
)

// Hours is a set of daily half-open windows, to the second, the same every day of the week. The zero
// value holds no window: it is never open. Hours are immutable.
type Hours struct {
	windows []window // sorted, not overlapping, never empty ones
	daily   int64    // sum of their lengths
}

// window is a stretch of the wall clock, microseconds since midnight.
type window struct{ start, end int64 }

// WindowError says which of the windows given to ParseHours is wrong.
type WindowError struct {
	// Index of the window in the list, from 0.
	Index int
	// Window as it was written.
	Window string
	// Problem is what is wrong with it and what is allowed.
	Problem string
}

func (e *WindowError) Error() string {
	return fmt.Sprintf("window %d %q: %s", e.Index, e.Window, e.Problem)
}

// ParseHours reads windows such as "08:00-23:00" or "08:00:00-12:30:15", in any order. A window ends
// just before its second time; "24:00" is the end of the day. Windows may touch but not overlap, and
// none crosses midnight (write two). The error is a *WindowError.
func ParseHours(windows []string) (Hours, error) {
	type numbered struct {
		window
		index int
	}
	all := make([]numbered, 0, len(windows))
	for i, s := range windows {
		w, problem := parseWindow(s)
		if problem != "" {
			return Hours{}, &WindowError{Index: i, Window: s, Problem: problem}
		}
		all = append(all, numbered{w, i})
	}
	slices.SortStableFunc(all, func(a, b numbered) int {
		switch {
		case a.start < b.start:
			return -1
		case a.start > b.start:
			return 1
		}
		return a.index - b.index
	})
	var h Hours
	for i, w := range all {
		if i > 0 && w.start < all[i-1].end {
			// Name the one that stands later in the list.
			a, b := all[i-1].index, w.index
			a, b = min(a, b), max(a, b)
			return Hours{}, &WindowError{
				Index: b, Window: windows[b],
				Problem: fmt.Sprintf("overlaps window %d %q; windows may touch but not overlap", a, windows[a]),
			}
		}
		h.windows = append(h.windows, w.window)
		h.daily += w.end - w.start
	}
	return h, nil
}

func parseWindow(s string) (window, string) {
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return window{}, `want "HH:MM-HH:MM" or "HH:MM:SS-HH:MM:SS"`
	}
	start, ok := parseClock(from)
	if !ok || start == dayUS {
		return window{}, fmt.Sprintf("%q is no start; want 00:00 to 23:59, or with seconds 00:00:00 to 23:59:59", from)
	}
	end, ok := parseClock(to)
	if !ok {
		return window{}, fmt.Sprintf("%q is no end; want 00:01 to 24:00, or with seconds 00:00:01 to 24:00:00", to)
	}
	if end <= start {
		return window{}, "its end is not after its start; a window across midnight is written as two, one up to 24:00 and one from 00:00"
	}
	return window{start, end}, ""
}

// parseClock reads HH:MM or HH:MM:SS, up to 24:00:00.
func parseClock(s string) (int64, bool) {
	if len(s) != len("15:04") && len(s) != len("15:04:05") {
		return 0, false
	}
	var part [3]int64
	for i := 0; i < len(s); i += 3 {
		if i > 0 && s[i-1] != ':' {
			return 0, false
		}
		tens, ones := s[i]-'0', s[i+1]-'0'
		if tens > 9 || ones > 9 {
			return 0, false
		}
		part[i/3] = int64(tens)*10 + int64(ones)
	}
	if part[0] > 24 || part[1] > 59 || part[2] > 59 {
		return 0, false
	}
	us := part[0]*hourUS + part[1]*minuteUS + part[2]*secondUS
	return us, us <= dayUS
}

// Windows gives the windows in order, as ParseHours reads them.
func (h Hours) Windows() []string {
	out := make([]string, len(h.windows))
	for i, w := range h.windows {
		out[i] = formatClock(w.start) + "-" + formatClock(w.end)
	}
	return out
}

func formatClock(us int64) string {
	s := us / secondUS
	if s%60 == 0 {
		return fmt.Sprintf("%02d:%02d", s/3600, s/60%60)
	}
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

func (h Hours) String() string { return strings.Join(h.Windows(), ",") }

// IsZero tells that there is no window.
func (h Hours) IsZero() bool { return len(h.windows) == 0 }

// DailyUS is how long the windows are open on a day whose clock does not shift.
func (h Hours) DailyUS() int64 { return h.daily }

// contains tells whether a wall-clock time of day is inside a window.
func (h Hours) contains(tod int64) bool {
	for _, w := range h.windows {
		if tod < w.end {
			return tod >= w.start
		}
	}
	return false
}

// before is how much of [0, tod) is inside windows.
func (h Hours) before(tod int64) int64 {
	var sum int64
	for _, w := range h.windows {
		if tod <= w.start {
			break
		}
		sum += min(tod, w.end) - w.start
	}
	return sum
}
