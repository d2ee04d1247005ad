package main

import (
	"fmt"

	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/warehouse"
)

type schemaCmd struct {
	Apply schemaApplyCmd `cmd:"" help:"Apply the migrations that the database lacks."`
	Roles schemaRolesCmd `cmd:"" help:"Print the statements that make the roles analyst, auditor, and writer on a server."`
}

type schemaApplyCmd struct {
	Roles bool `help:"Make the roles on the server, too (see feige schema roles). The account needs access management."`
}

func (c schemaApplyCmd) Run(a *app) error {
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
	if err != nil {
		return err
	}
	database := s.ClickHouse.DatabaseFor(s.Namespace)
	fmt.Fprintf(a.stdout, "database %s is up to date\n", database)
	if !c.Roles {
		return nil
	}
	if err := warehouse.ApplyRoles(a.ctx, conn, database, s.ClickHouse.Cluster); err != nil {
		return withCode(codeUnavailable, fmt.Errorf("making the roles: %w (clickhouse.username needs access management; feige schema roles prints what to run; the embedded engine has accounts of its own)", err))
	}
	for _, access := range warehouse.Accesses() {
		fmt.Fprintf(a.stdout, "role %s is as it should be\n", warehouse.RoleOf(database, access))
	}
	return nil
}

type schemaRolesCmd struct{}

func (schemaRolesCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	for _, statement := range warehouse.RoleStatements(s.ClickHouse.DatabaseFor(s.Namespace), s.ClickHouse.Cluster) {
		fmt.Fprintf(a.stdout, "%s;\n", statement)
	}
	return nil
}
