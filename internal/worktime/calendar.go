package worktime

import (
	"math"
	"time"
	_ "time/tzdata" // zones on machines that have none
)

// Span is a half-open interval of UTC microseconds.
type Span struct{ Start, End int64 }

// Contains tells whether the instant lies in the span.
func (s Span) Contains(atUS int64) bool { return atUS >= s.Start && atUS < s.End }

// Calendar reads the clock of one time zone. It is immutable and safe for concurrent use; none of
// its look-ups allocates. Instants before the year 1 or from 10000 on are taken for the nearest one
// between. After 2500 a zone is taken to shift its clock no more.
type Calendar struct {
	loc      *time.Location
	segments []segment // cover all of time, in order, at least one
}

// segment is a stretch of time during which the zone's distance from UTC does not change.
type segment struct {
	from, until int64
	offset      int64 // wall clock minus UTC
	// reached is the least wall time that no earlier segment showed nor went past.
	reached int64
}

const (
	lastYear = 2500
	minUS    = -62_135_596_800 * secondUS // 0001-01-01
	maxUS    = 253_402_300_800*secondUS - 1
	// forever stands for both ends of time, with room to add an offset.
	forever = math.MaxInt64 / 4
)

// NewCalendar prepares the calendar of a zone.
func NewCalendar(loc *time.Location) *Calendar {
	c := &Calendar{loc: loc}
	horizon := time.Date(lastYear, 1, 1, 0, 0, 0, 0, time.UTC)
	at := time.Unix(minUS/secondUS, 0)
	from, reached := int64(-forever), int64(-forever)
	for {
		_, offset := at.In(loc).Zone()
		_, end := at.In(loc).ZoneBounds()
		if !end.IsZero() && !end.After(at) {
			// Package time ends a leap year of a zone's standing rule a day early, and then gets no further.
			end = at.Add(time.Hour)
		}
		until, last := int64(forever), true
		if !end.IsZero() && end.Before(horizon) {
			until, last = end.UnixMicro(), false
		}
		s := segment{from: from, until: until, offset: int64(offset) * secondUS, reached: reached}
		if n := len(c.segments); n > 0 && c.segments[n-1].offset == s.offset {
			c.segments[n-1].until = until
		} else {
			c.segments = append(c.segments, s)
		}
		if last {
			return c
		}
		from, reached = until, max(reached, until+s.offset)
		at = end
	}
}

// Location is the calendar's zone.
func (c *Calendar) Location() *time.Location { return c.loc }

// In tells whether one of the windows is open by the wall clock.
func (c *Calendar) In(h Hours, atUS int64) bool {
	atUS = clamp(atUS)
	_, tod := divide(atUS + c.at(atUS).offset)
	return h.contains(tod)
}

// Day is the day of the instant. It lasts 24 hours unless the zone shifts its clock.
func (c *Calendar) Day(atUS int64) Span {
	atUS = clamp(atUS)
	s := c.at(atUS)
	day := s.day(atUS)
	return c.span(s, day, day+1)
}

// Overlap is how many microseconds of [fromUS, toUS) lie inside the windows; 0 when toUS is not after fromUS.
func (c *Calendar) Overlap(h Hours, fromUS, toUS int64) int64 {
	fromUS, toUS = clamp(fromUS), clamp(toUS)
	var sum int64
	for i := c.find(fromUS); fromUS < toUS; i++ {
		s := &c.segments[i]
		until := min(toUS, s.until)
		fromDay, fromTod := divide(fromUS + s.offset)
		toDay, toTod := divide(until + s.offset)
		sum += (toDay-fromDay)*h.daily + h.before(toTod) - h.before(fromTod)
		fromUS = until
	}
	return sum
}

// span is from the beginning of one day to that of a later one; s is the segment of an instant between.
func (c *Calendar) span(s *segment, fromDay, untilDay int64) Span {
	return Span{Start: c.begin(s, fromDay*dayUS), End: c.begin(s, untilDay*dayUS)}
}

// begin is the first instant at which the wall clock shows at least wall. The segment is a guess.
func (c *Calendar) begin(s *segment, wall int64) int64 {
	if wall < s.reached || wall >= s.until+s.offset {
		// The first segment whose clock gets past wall.
		lo, hi := 0, len(c.segments)-1
		for lo < hi {
			mid := (lo + hi) / 2
			if c.segments[mid+1].reached > wall {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		s = &c.segments[lo]
	}
	// Where the clock jumped over wall, it is the moment of the jump.
	return max(s.from, wall-s.offset)
}

// day numbers the day of an instant of the segment, from 1970-01-01. A clock that is set back across
// midnight does not bring the day before back.
func (s *segment) day(atUS int64) int64 {
	d, _ := divide(max(atUS+s.offset, s.reached-1))
	return d
}

func (c *Calendar) at(atUS int64) *segment { return &c.segments[c.find(atUS)] }

// find is the index of the segment of an instant.
func (c *Calendar) find(atUS int64) int {
	lo, hi := 0, len(c.segments)-1
	if atUS >= c.segments[hi].from {
		return hi
	}
	for lo < hi {
		mid := (lo + hi) / 2
		if atUS < c.segments[mid].until {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

func clamp(atUS int64) int64 { return min(max(atUS, minUS), maxUS) }

// divide splits wall time into the day and the time of day.
func divide(wall int64) (day, tod int64) {
	day, tod = wall/dayUS, wall%dayUS
	if tod < 0 {
		day, tod = day-1, tod+dayUS
	}
	return day, tod
}
