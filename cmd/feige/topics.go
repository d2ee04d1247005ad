package main

import (
	"fmt"

	"github.com/feigeio/feige/ingest"
)

type topicsCmd struct {
	Apply topicsApplyCmd `cmd:"" help:"Create the topics that are missing; change nothing about those that are there."`
}

type topicsApplyCmd struct {
	Embedded bool `help:"For an embedded broker, which compacts by itself."`
}

func (c topicsApplyCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if err := s.pingKafka(a.ctx); err != nil {
		return err
	}
	how := ingest.TopicPolicy{Compact: true, Retention: s.Topics.Retention, MinCompactionLag: s.Topics.MinCompactionLag}
	if c.Embedded {
		how = ingest.EmbeddedTopics()
	}
	results, err := applyTopics(a.ctx, s, s.Namespace, how)
	for _, result := range results {
		what := "is there"
		if result.Created {
			what = "created"
		}
		fmt.Fprintf(a.stdout, "%-40s %4d partitions  %s\n", result.Name, result.Partitions, what)
	}
	return err
}
