package sheet

import (
	"time"

	"github.com/feigeio/feige/internal/report"
)

// Data is what a page tells.
type Data struct {
	Shop string
	// Period's name, such as 2026-11-H1, and its bounds in the time zone of the policy.
	Period   string
	From, To time.Time
	// Made is when the page was made.
	Made time.Time
	// Known is false where the shop has nothing in the period.
	Known bool
	// Final: the figures no longer change.
	Final bool

	Conversations, Rounds, Answered, Within int64
	Ratings, Dissatisfied                   int64
	Takeovers                               int64
	BotSeconds                              float64
	Indicators                              []report.Indicator
	// Definition that the 3-minute rate follows.
	Definition string
	// AssessedTime, such as 08:00-23:00, and MinSamples of the policy; empty and 0: not told.
	AssessedTime string
	MinSamples   int64
	// Decision is the newest revision; nil: not decided yet.
	Decision *Decision
	Days     []Day
	// Waits counts the rounds of each of the bounds of waits, then those that nobody answered.
	Waits [6]int64
	// Scores counts the ratings of 1 to 5.
	Scores [5]int64
	Agents []Agent
	// Points in force at the end of the period, or now while it runs.
	Points int64
	Flags  []Flags
}

// Decision about the period.
type Decision struct {
	Revision     int64
	Restricted   bool
	Restrictions []string
	From, Until  time.Time
	Missed       []string
}

// Day is one day of the period.
type Day struct {
	Start         time.Time
	Conversations int64
	// Rate is the 3-minute rate; negative: none.
	Rate float64
}

// Agent is how one agent answered.
type Agent struct {
	ID               string
	Replies          int64
	Within, MeanWait float64
}

// Flags are the confirmed violations of a category.
type Flags struct {
	Category string
	Count    int64
}

// waitBounds are the upper bounds of the first bars of waits, seconds.
var waitBounds = []int64{30, 60, 180, 600}

func (d Data) indicator(name string) (report.Indicator, bool) {
	for _, i := range d.Indicators {
		if i.Name == name {
			return i, true
		}
	}
	return report.Indicator{}, false
}

// explained is the key of an indicator's explanation.
func (d Data) explained(name string) string {
	if name == "manual_reply_3min_rate" {
		return d.Definition
	}
	return name
}

// judged are the indicators with a standard, in their order.
func (d Data) judged() []report.Indicator {
	var out []report.Indicator
	for _, i := range d.Indicators {
		if i.HasStandard {
			out = append(out, i)
		}
	}
	return out
}
