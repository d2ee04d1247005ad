package traffic

import (
	"fmt"
	"math"
	"time"
)

// Config says what is made.
type Config struct {
	// Seed decides everything that chance decides.
	Seed uint64
	// FromUS and ToUS bound the time of the events, half-open, UTC microseconds. ToUS 0: no end.
	FromUS, ToUS int64
	// Shops is how many shops there are (1 to 1000000). The busiest has about 1/ln(Shops) of the traffic.
	Shops int
	// Rate is the mean number of events a second, of all shops and over whole days (0.001 to 1000000).
	Rate float64
	// Flat leaves out the rise and fall of the day: the rate is the same at any hour, and agents work round
	// the clock.
	Flat bool
	// WarmUpUS is how long before FromUS the shops open, so that there is full traffic from FromUS on. What
	// happens before FromUS is left out, and so the beginnings of some conversations are.
	WarmUpUS int64
	// Location is where the day's curve and the shifts are at home; nil: Asia/Shanghai.
	Location *time.Location
}

// Validate names the first bad field and its value.
func (c Config) Validate() error {
	switch {
	case c.Shops < 1 || c.Shops > 1_000_000:
		return fmt.Errorf("traffic: shops: %d is not between 1 and 1000000", c.Shops)
	case math.IsNaN(c.Rate) || c.Rate < 0.001 || c.Rate > 1e6:
		return fmt.Errorf("traffic: rate: %v is not between 0.001 and 1000000 events a second", c.Rate)
	case c.ToUS != 0 && c.ToUS < c.FromUS:
		return fmt.Errorf("traffic: it ends at %s, before it begins", time.UnixMicro(c.ToUS).UTC().Format(time.RFC3339))
	case c.WarmUpUS < 0:
		return fmt.Errorf("traffic: warm-up of %d µs is negative", c.WarmUpUS)
	}
	return nil
}

const (
	second = int64(1_000_000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// curve is the relative traffic at each full hour of a day: little at night, a peak before noon, and the
// highest in the evening. Its mean is 1.
var curve = [24]float64{0.45, 0.25, 0.12, 0.08, 0.07, 0.10, 0.25, 0.50, 0.85, 1.25, 1.50, 1.45,
	1.20, 1.25, 1.40, 1.40, 1.35, 1.25, 1.30, 1.55, 1.90, 2.00, 1.65, 0.88}

const curveMax = 2.0

// localDay gives midnight of an instant's day, and the microseconds since.
type localDay struct {
	loc *time.Location
	// The day of the newest answer: most questions are about the same one.
	from, until int64
}

func (d *localDay) of(us int64) (midnight, since int64) {
	if us < d.from || us >= d.until {
		t := time.UnixMicro(us).In(d.loc)
		y, m, dd := t.Date()
		d.from = time.Date(y, m, dd, 0, 0, 0, 0, d.loc).UnixMicro()
		d.until = time.Date(y, m, dd+1, 0, 0, 0, 0, d.loc).UnixMicro()
	}
	return d.from, us - d.from
}

// load is the relative traffic at an instant, between the hours in a straight line.
func (d *localDay) load(us int64) float64 {
	_, since := d.of(us)
	h := int(since/hour) % 24
	part := float64(since%hour) / float64(hour)
	return curve[h]*(1-part) + curve[(h+1)%24]*part
}
