package main

import (
	"fmt"
	"time"

	"github.com/feigeio/feige/internal/policy"
)

type policyCmd struct {
	Show  policyShowCmd  `cmd:"" help:"Print the policy in force."`
	Check policyCheckCmd `cmd:"" help:"Check a policy file; say what is wrong, a line each."`
}

type policyShowCmd struct {
	At  string `help:"The version in force at this time (RFC 3339) instead of now." placeholder:"TIME"`
	All bool   `help:"The whole built-in file with every comment, to start one's own from."`
}

func (c policyShowCmd) Run(a *app) error {
	if c.All {
		_, err := a.stdout.Write(policy.DefaultYAML())
		return err
	}
	s, err := a.settings()
	if err != nil {
		return err
	}
	set, err := s.policySet()
	if err != nil {
		return err
	}
	at := time.Now()
	if c.At != "" {
		if at, err = time.Parse(time.RFC3339, c.At); err != nil {
			return withCode(codeUsage, fmt.Errorf("--at %s: want a time such as 2026-11-01T00:00:00+08:00", c.At))
		}
	}
	text, err := set.Render(set.At(at.UnixMicro()))
	if err != nil {
		return fmt.Errorf("printing the policy: %w", err)
	}
	_, err = a.stdout.Write(text)
	return err
}

type policyCheckCmd struct {
	File string `arg:"" optional:"" help:"The file; the configured one when left out."`
}

func (c policyCheckCmd) Run(a *app) error {
	path := c.File
	if path == "" {
		s, err := a.settings()
		if err != nil {
			return err
		}
		path = s.Policy
	}
	if path == "" {
		fmt.Fprintln(a.stdout, "the built-in policy: ok")
		return nil
	}
	if err := policy.Check(path); err != nil {
		// One line a problem: a person goes through them with an editor.
		fmt.Fprintln(a.stderr, err)
		return silent(codeUsage)
	}
	fmt.Fprintf(a.stdout, "%s: ok\n", path)
	return nil
}
