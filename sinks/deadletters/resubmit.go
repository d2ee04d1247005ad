package deadletters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Report is what became of a selection.
type Report struct {
	// Submitted is how many letters were submitted again.
	Submitted int
	// Failed are those that were not, with the reason.
	Failed []Failure
}

// Failure is a letter that could not be submitted again.
type Failure struct {
	Letter *Letter
	Err    error
}

// ReSubmit submits letters again (see the package's comment for how), one after the other, and notes that on
// topic dead.letters. Doing it twice is harmless. The error is about Kafka as a whole; letters after the one
// where it happened are not submitted.
func ReSubmit(ctx context.Context, deps Dependencies, letters []*Letter) (Report, error) {
	var report Report
	options, err := deps.Broker.KGO()
	if err != nil {
		return report, fmt.Errorf("dead letters: %w", err)
	}
	client, err := kgo.NewClient(append(slices.Clone(options), Producing(deps.Namespace)...)...)
	if err != nil {
		return report, fmt.Errorf("dead letters: %w", err)
	}
	defer client.Close()
	for _, l := range letters {
		if len(l.Value) == 0 {
			report.Failed = append(report.Failed, Failure{l, errors.New("the letter holds no value to submit")})
			continue
		}
		if err := submit(ctx, client, deps, l); err != nil {
			return report, fmt.Errorf("dead letters: submitting %s again after %d others: %w", l.ID(), report.Submitted, err)
		}
		report.Submitted++
	}
	return report, nil
}

// submit publishes the record first, where that is due, and notes it afterwards: a failure between the two
// leaves the letter open.
func submit(ctx context.Context, client *kgo.Client, deps Dependencies, l *Letter) error {
	if l.Stage != StageSinks {
		record := &kgo.Record{
			Topic: l.Topic, Partition: l.Partition, Key: l.Key, Value: l.Value,
			Headers: []kgo.RecordHeader{{Key: HeaderFrom, Value: []byte(l.ID())}},
		}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			return err
		}
	}
	note, err := l.Record(deps.Namespace)
	if err != nil {
		return err
	}
	note.Headers = []kgo.RecordHeader{{Key: HeaderResubmittedUS, Value: stamp(time.Now())}}
	return client.ProduceSync(ctx, note).FirstErr()
}
