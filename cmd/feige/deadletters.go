package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/sinks/deadletters"
)

type deadLettersCmd struct {
	List     deadLettersListCmd     `cmd:"" help:"List records that could not be processed, with the reason."`
	Resubmit deadLettersResubmitCmd `cmd:"" help:"Submit them again, once their cause has been put right."`
}

// letterFilter selects letters.
type letterFilter struct {
	IDs   []string      `arg:"" optional:"" name:"id" help:"Ids as listed, topic/partition/offset; all when left out."`
	Topic string        `help:"Only records of this topic."`
	Stage string        `help:"Only those that this stage gave up on."`
	Code  string        `help:"Only failures with this code: decode, invalid, misplaced, insert, …"`
	Since time.Duration `help:"Only those of the last … (24h)." placeholder:"DURATION"`
}

func (f letterFilter) find(a *app, open bool) (deadletters.Dependencies, []*deadletters.Letter, error) {
	s, err := a.settings()
	if err != nil {
		return deadletters.Dependencies{}, nil, err
	}
	logger := ops.NewLogger(a.stderr, s.Log)
	deps := deadletters.Dependencies{Broker: s.Kafka, Namespace: s.Namespace, Logger: logger}
	if err := s.pingKafka(a.ctx); err != nil {
		return deps, nil, err
	}
	filter := deadletters.Filter{IDs: f.IDs, Topic: f.Topic, Stage: f.Stage, Code: f.Code, Open: open}
	if f.Since > 0 {
		filter.Since = time.Now().Add(-f.Since)
	}
	letters, err := deadletters.List(a.ctx, deps, filter)
	return deps, letters, withCode(codeUnavailable, err)
}

type deadLettersListCmd struct {
	letterFilter `embed:""`
	All          bool `help:"Also those that were submitted again since."`
	JSON         bool `help:"One JSON object a line; the record itself as base64."`
}

func (c deadLettersListCmd) Run(a *app) error {
	_, letters, err := c.find(a, !c.All)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(a.stdout)
		for _, l := range letters {
			if err := encoder.Encode(lineOf(l)); err != nil {
				return fmt.Errorf("printing the letters: %w", err)
			}
		}
		return nil
	}
	for _, l := range letters {
		state := ""
		if !l.Open() {
			state = "  (submitted again " + l.ResubmittedAt.UTC().Format(time.RFC3339) + ")"
		}
		fmt.Fprintf(a.stdout, "%s  %s  %s  %s: %s%s\n", l.ID(), l.At.UTC().Format(time.RFC3339), l.Stage, l.Code, l.Reason, state)
	}
	fmt.Fprintf(a.stdout, "%d dead letters\n", len(letters))
	return nil
}

// letterLine is a letter in JSON.
type letterLine struct {
	ID            string     `json:"id"`
	Stage         string     `json:"stage"`
	Code          string     `json:"code"`
	Reason        string     `json:"reason"`
	At            time.Time  `json:"at"`
	RecordAt      time.Time  `json:"record_at"`
	ResubmittedAt *time.Time `json:"resubmitted_at,omitempty"`
	Key           []byte     `json:"key"`
	Value         []byte     `json:"value"`
}

func lineOf(l *deadletters.Letter) letterLine {
	line := letterLine{
		ID: l.ID(), Stage: l.Stage, Code: l.Code, Reason: l.Reason, At: l.At.UTC(), RecordAt: time.UnixMicro(l.RecordAtUs).UTC(), Key: l.Key, Value: l.Value,
	}
	if !l.Open() {
		at := l.ResubmittedAt.UTC()
		line.ResubmittedAt = &at
	}
	return line
}

type deadLettersResubmitCmd struct {
	letterFilter `embed:""`
	DryRun       bool `help:"Only say how many it would be."`
}

func (c deadLettersResubmitCmd) Run(a *app) error {
	deps, letters, err := c.find(a, true)
	if err != nil {
		return err
	}
	if c.DryRun {
		fmt.Fprintf(a.stdout, "%d dead letters would be submitted again\n", len(letters))
		return nil
	}
	report, err := deadletters.ReSubmit(a.ctx, deps, letters)
	for _, failure := range report.Failed {
		fmt.Fprintf(a.stdout, "%s: %v\n", failure.Letter.ID(), failure.Err)
	}
	fmt.Fprintf(a.stdout, "%d submitted again, %d could not be\n", report.Submitted, len(report.Failed))
	if err != nil {
		return withCode(codeUnavailable, err)
	}
	if len(report.Failed) > 0 {
		return silent(codeBadData)
	}
	return nil
}
