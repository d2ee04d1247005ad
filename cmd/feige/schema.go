package main

import (
	"fmt"

	"github.com/feigeio/feige/internal/ops"
)

type schemaCmd struct {
	Apply schemaApplyCmd `cmd:"" help:"Apply the migrations that the database lacks."`
}

type schemaApplyCmd struct{}

func (schemaApplyCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	set, err := s.policySet()
	if err != nil {
		return err
	}
	conn, err := s.openWarehouse(a.ctx, s.Namespace)
	if err != nil {
		return err
	}
	defer conn.Close()
	applied, err := s.applySchema(a.ctx, conn, s.Namespace, set, ops.NewLogger(a.stderr, s.Log))
	for _, name := range applied {
		fmt.Fprintf(a.stdout, "%s: applied\n", name)
	}
	if err == nil {
		fmt.Fprintf(a.stdout, "database %s is up to date\n", s.ClickHouse.DatabaseFor(s.Namespace))
	}
	return err
}
