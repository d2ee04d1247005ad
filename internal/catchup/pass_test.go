package catchup

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// What is written after the beginning is not waited for, but what comes of earlier records is.
func TestPassWhileMoreIsWritten(t *testing.T) {
	t.Parallel()
	client, admin := fixture(t)
	stages := []Stage{{Group: "first", Topics: []string{"events"}}, {Group: "second", Topics: []string{"facts", "events"}}}
	produce(t, client, "events", 0, 2)
	looks := 0
	ends, err := Pass(t.Context(), admin, stages, Options{Interval: time.Millisecond, Progress: func(lags []Lag) {
		produce(t, client, "events", 0, 1) // never ends
		switch looks++; looks {
		case 1:
			if lags[0].Behind != 2 {
				t.Errorf("at first: %d behind", lags[0].Behind)
			}
		case 3:
			produce(t, client, "facts", 1, 1)
			commit(t, admin, "first", "events", 0, 2)
		case 6:
			if len(lags) != 2 || lags[1].Behind == 0 {
				t.Errorf("the second stage has read nothing, and is %+v", lags)
			}
			commit(t, admin, "second", "events", 0, 6)
		case 9:
			if lags[1].Behind != 1 {
				t.Errorf("the second stage has not read the fact: %+v", lags[1])
			}
			commit(t, admin, "second", "facts", 1, 1)
		case 50:
			t.Fatal("it does not end")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if ends["events"][0] != 2 || ends["facts"][1] != 1 {
		t.Errorf("the first ends are %v", ends)
	}
	if looks < 9 {
		t.Errorf("ended after %d looks, before the second stage was done", looks)
	}
}

func TestPassStops(t *testing.T) {
	t.Parallel()
	client, admin := fixture(t)
	if _, err := Pass(t.Context(), admin, []Stage{{Group: "g", Topics: []string{"none"}}}, Options{}); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a topic that does not exist: %v", err)
	}
	produce(t, client, "events", 0, 1)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Pass(ctx, admin, []Stage{{Group: "g", Topics: []string{"events"}}}, Options{Interval: time.Millisecond, Progress: func([]Lag) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
