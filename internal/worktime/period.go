package worktime

import (
	"errors"
	"fmt"
)

// HalfMonth is the half-month of the instant: the 1st to the 15th, or the 16th to the month's last day.
func (c *Calendar) HalfMonth(atUS int64) Span {
	atUS = clamp(atUS)
	s := c.at(atUS)
	from, until := halfMonth(s.day(atUS))
	return c.span(s, from, until)
}

// Next is the half-month after the one of the instant.
func (c *Calendar) Next(atUS int64) Span { return c.HalfMonth(c.HalfMonth(atUS).End) }

// Previous is the half-month before the one of the instant.
func (c *Calendar) Previous(atUS int64) Span { return c.HalfMonth(c.HalfMonth(atUS).Start - 1) }

// AssessedOn is the half-month that is assessed on the day of the instant: the one just ended, when
// the day is the 1st or the 16th. Other days assess nothing: false.
func (c *Calendar) AssessedOn(atUS int64) (Span, bool) {
	half := c.HalfMonth(atUS)
	if c.Day(atUS).Start != half.Start {
		return Span{}, false
	}
	return c.HalfMonth(half.Start - 1), true
}

// FormatPeriod names the half-month of the instant: "2026-11-H1" or "2026-11-H2".
func (c *Calendar) FormatPeriod(atUS int64) string {
	atUS = clamp(atUS)
	y, m, d := civil(c.at(atUS).day(atUS))
	half := 1
	if d > 15 {
		half = 2
	}
	return fmt.Sprintf("%04d-%02d-H%d", y, m, half)
}

// FormatDay names the day of the instant: "2026-11-05".
func (c *Calendar) FormatDay(atUS int64) string {
	atUS = clamp(atUS)
	y, m, d := civil(c.at(atUS).day(atUS))
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}

// ParsePeriod reads what FormatPeriod and FormatDay write: the span of "2026-11-H1" or of "2026-11-05".
func (c *Calendar) ParsePeriod(s string) (Span, error) {
	from, until, err := parsePeriod(s)
	if err != nil {
		return Span{}, fmt.Errorf("period %q: %w", s, err)
	}
	span := c.span(&c.segments[len(c.segments)-1], from, until)
	if span.Start == span.End {
		return Span{}, fmt.Errorf("period %q: the calendar of %s skips it", s, c.loc)
	}
	return span, nil
}

func parsePeriod(s string) (from, until int64, err error) {
	if len(s) != len("2026-11-H1") || s[4] != '-' || s[7] != '-' {
		return 0, 0, errors.New(`want a half-month as "2026-11-H1" or "2026-11-H2", or a day as "2026-11-05"`)
	}
	y, okY := digits(s[:4])
	m, okM := digits(s[5:7])
	if !okY || !okM || y < 1 || m < 1 || m > 12 {
		return 0, 0, fmt.Errorf("%q is no month; want 0001-01 to 9999-12", s[:7])
	}
	last := daysIn(y, m)
	switch s[8:] {
	case "H1", "H2":
		d := int64(1)
		if s[9] == '2' {
			d = 16
		}
		from, until = halfMonth(dayNumber(y, m, d))
		return from, until, nil
	}
	d, ok := digits(s[8:])
	if !ok || d < 1 || d > last {
		return 0, 0, fmt.Errorf("%q is no day of %s; want 01 to %d, or H1 or H2", s[8:], s[:7], last)
	}
	n := dayNumber(y, m, d)
	return n, n + 1, nil
}

func digits(s string) (n int64, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// halfMonth gives the first day of a day's half-month and the first one after it.
func halfMonth(day int64) (from, until int64) {
	y, m, d := civil(day)
	first := day - d + 1
	if d <= 15 {
		return first, first + 15
	}
	return first + 15, first + daysIn(y, m)
}

// civil gives year, month, and day of the month of a day counted from 1970-01-01 (Gregorian, as all
// of time had it). Years are reckoned from March, so that the leap day comes last.
func civil(day int64) (y, m, d int64) {
	const (
		days400  = 146_097 // days in 400 years
		toMarch0 = 719_468 // from 0000-03-01 to 1970-01-01
	)
	day += toMarch0
	era := day / days400
	if day < 0 {
		era = (day - days400 + 1) / days400
	}
	doe := day - era*days400
	yoe := (doe - doe/1460 + doe/36_524 - doe/146_096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	y = yoe + era*400
	if m > 12 {
		m -= 12
		y++
	}
	return y, m, d
}

// dayNumber counts from 1970-01-01; years from 1 on.
func dayNumber(y, m, d int64) int64 {
	if m <= 2 {
		y, m = y-1, m+12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719_468
}

func daysIn(y, m int64) int64 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
