package oracle

import (
	"fmt"
	"time"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/worktime"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// clock reads instants by the wall clock of the policy's time zone.
type clock struct {
	set *policy.Set
	loc *time.Location
	// The daily hours of each version, read once.
	assessed, working map[*policy.Policy][]dailyHours
}

// dailyHours are seconds since midnight, half-open.
type dailyHours struct{ from, to int }

func newClock(set *policy.Set) *clock {
	c := &clock{
		set: set, loc: set.Calendar().Location(),
		assessed: map[*policy.Policy][]dailyHours{},
		working:  map[*policy.Policy][]dailyHours{},
	}
	for _, p := range set.Versions() {
		c.assessed[p] = readHours(p.Assessment.AssessedTime)
		c.working[p] = readHours(p.Reception.WorkingHours)
	}
	return c
}

func readHours(h worktime.Hours) []dailyHours {
	var out []dailyHours
	for _, text := range h.Windows() {
		var from, to string
		if len(text)%2 == 1 { // "08:00-23:00", "08:00:00-23:00:00"
			from, to = text[:len(text)/2], text[len(text)/2+1:]
		} else if len(text) == len("08:00-23:00:00") && text[5] == '-' {
			from, to = text[:5], text[6:]
		} else {
			from, to = text[:8], text[9:]
		}
		out = append(out, dailyHours{readTimeOfDay(from), readTimeOfDay(to)})
	}
	return out
}

func readTimeOfDay(s string) int {
	var h, m, sec int
	_, _ = fmt.Sscanf(s, "%d:%d:%d", &h, &m, &sec)
	return h*3600 + m*60 + sec
}

func (c *clock) at(us int64) time.Time { return time.UnixMicro(us).In(c.loc) }

// isAssessed tells whether the instant is in assessed time by the policy of the instant.
func (c *clock) isAssessed(us int64) bool { return c.open(c.assessed[c.set.At(us)], us) }

// isWorking tells whether the instant is in working hours by the policy of the instant.
func (c *clock) isWorking(us int64) bool { return c.open(c.working[c.set.At(us)], us) }

func (c *clock) open(hours []dailyHours, us int64) bool {
	t := c.at(us)
	second := t.Hour()*3600 + t.Minute()*60 + t.Second()
	for _, h := range hours {
		if h.from <= second && second < h.to {
			return true
		}
	}
	return false
}

// openWithin is how many microseconds of [from, to) lie within the hours.
func (c *clock) openWithin(hours []dailyHours, from, to int64) int64 {
	if to <= from {
		return 0
	}
	var sum int64
	first, last := c.at(from), c.at(to)
	for d := 0; ; d++ {
		day := time.Date(first.Year(), first.Month(), first.Day()+d, 0, 0, 0, 0, c.loc)
		if day.After(last) {
			return sum
		}
		y, m, n := day.Date()
		for _, h := range hours {
			opens := time.Date(y, m, n, 0, 0, h.from, 0, c.loc).UnixMicro()
			closes := time.Date(y, m, n, 0, 0, h.to, 0, c.loc).UnixMicro()
			if begin, end := max(opens, from), min(closes, to); begin < end {
				sum += end - begin
			}
		}
	}
}

// span is the window of a kind that holds the instant.
func (c *clock) span(kind chatv1.WindowKind, us int64) (start, end int64) {
	y, m, d := c.at(us).Date()
	from, to := d, d+1
	if kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH {
		from, to = 1, 16
		if d > 15 {
			from, to = 16, time.Date(y, m+1, 0, 0, 0, 0, 0, c.loc).Day()+1
		}
	}
	return time.Date(y, m, from, 0, 0, 0, 0, c.loc).UnixMicro(), time.Date(y, m, to, 0, 0, 0, 0, c.loc).UnixMicro()
}
