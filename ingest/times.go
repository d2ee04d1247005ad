package ingest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var errTime = errors.New("not a time of the layout")

// localLayouts are tried in turn by layout auto, in the mapping's time zone.
var localLayouts = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006/01/02 15:04:05", "2006/01/02 15:04"}

// timeParser turns a column into UTC microseconds.
type timeParser struct {
	layout string
	zone   *time.Location
}

func (p timeParser) check() error {
	switch p.layout {
	case "", "auto", "rfc3339", "unix_s", "unix_ms", "unix_us":
		return nil
	}
	// A layout of Go's must at least bring a day back.
	ref := time.Date(2024, 11, 23, 21, 47, 38, 0, time.UTC)
	if back, err := time.ParseInLocation(p.layout, ref.Format(p.layout), time.UTC); err != nil || back.YearDay() != ref.YearDay() || back.Year() != ref.Year() {
		return fmt.Errorf("mapping.time_layout: %q is not auto, rfc3339, unix_s, unix_ms, unix_us, or a layout like %q", p.layout, localLayouts[0])
	}
	return nil
}

func (p timeParser) parse(s string) (int64, error) {
	s = strings.TrimSpace(s)
	switch p.layout {
	case "", "auto":
		return p.auto(s)
	case "rfc3339":
		return micros(time.Parse(time.RFC3339, s))
	case "unix_s":
		return unixSeconds(s)
	case "unix_ms":
		return unixScaled(s, 1000)
	case "unix_us":
		return unixScaled(s, 1)
	}
	return micros(time.ParseInLocation(p.layout, s, p.zone))
}

func (p timeParser) auto(s string) (int64, error) {
	if us, err := micros(time.Parse(time.RFC3339, s)); err == nil {
		return us, nil
	}
	whole, _, _ := strings.Cut(s, ".")
	if _, err := strconv.ParseUint(whole, 10, 64); err == nil {
		switch len(whole) {
		case 9, 10:
			return unixSeconds(s)
		case 12, 13:
			return unixScaled(s, 1000)
		case 15, 16:
			return unixScaled(s, 1)
		}
		return 0, errTime
	}
	for _, layout := range localLayouts {
		if us, err := micros(time.ParseInLocation(layout, s, p.zone)); err == nil {
			return us, nil
		}
	}
	return 0, errTime
}

func micros(t time.Time, err error) (int64, error) {
	// Beyond these years microseconds since 1970 would not be whole numbers of 64 bits.
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return 0, errTime
	}
	return t.UnixMicro(), nil
}

func unixScaled(s string, scale int64) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > 1<<52 || n < -1<<52 {
		return 0, errTime
	}
	return n * scale, nil
}

// unixSeconds reads seconds with an optional fraction; digits past the sixth are cut off.
func unixSeconds(s string) (int64, error) {
	whole, frac, has := strings.Cut(s, ".")
	us, err := unixScaled(whole, 1)
	if err != nil || us > 1<<38 || us < 0 {
		return 0, errTime
	}
	us *= 1e6
	if !has {
		return us, nil
	}
	if frac == "" || strings.Trim(frac, "0123456789") != "" {
		return 0, errTime
	}
	frac = (frac + "000000")[:6]
	f, err := strconv.ParseInt(frac, 10, 64)
	if err != nil {
		return 0, errTime
	}
	return us + f, nil
}
