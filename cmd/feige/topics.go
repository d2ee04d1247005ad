package main

import (
	"fmt"
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
	results, err := applyTopics(a.ctx, s, s.Namespace, s.Topics.policy(c.Embedded))
	for _, result := range results {
		what := "is there"
		if result.Created {
			what = "created"
		}
		fmt.Fprintf(a.stdout, "%-40s %4d partitions  %s\n", result.Name, result.Partitions, what)
	}
	return err
}
