package warehouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Access is what an account may do in the database of a namespace.
type Access string

// Accesses.
const (
	// Analyst reads every figure and nothing that people wrote.
	Analyst Access = "analyst"
	// Auditor reads everything; every statement of it is in the server's query log, and it cannot turn that off.
	Auditor Access = "auditor"
	// Writer reads and inserts: the sinks.
	Writer Access = "writer"
)

// Accesses lists all.
func Accesses() []Access { return []Access{Analyst, Auditor, Writer} }

// RoleOf is the name of an access's role, and of its settings profile, on a server: that of the database with the
// access behind it, so that namespaces stay apart.
func RoleOf(database string, access Access) string { return database + "_" + string(access) }

// profiles are the settings of who signs in with a role. A value that is CONST cannot be changed by a statement or a client.
var profiles = map[Access][]string{
	Analyst: {"readonly = 2 CONST", "max_execution_time = 60", "max_memory_usage = 2000000000"},
	Auditor: {"readonly = 2 CONST", "log_queries = 1 CONST", "log_queries_min_type = 'QUERY_START' CONST", "log_queries_min_query_duration_ms = 0 CONST", "log_queries_probability = 1 CONST"},
	Writer:  {"readonly = 0"},
}

func rightsOf(database string, access Access) []string {
	switch access {
	case Analyst:
		return AnalystGrants(database)
	case Auditor:
		return []string{"SELECT ON " + quoteName(database) + ".*"}
	case Writer:
		return []string{"SELECT ON " + quoteName(database) + ".*", "INSERT ON " + quoteName(database) + ".*"}
	}
	return nil
}

// RoleStatements make the roles of a database on a server, with exactly these rights and settings whatever they had before.
// A database administrator then grants a role to an account: GRANT feige_analyst TO somebody.
func RoleStatements(database, cluster string) []string {
	on := ""
	if cluster != "" {
		on = " ON CLUSTER " + quoteName(cluster)
	}
	var all []string
	for _, access := range Accesses() {
		role := quoteName(RoleOf(database, access))
		all = append(all,
			"CREATE ROLE IF NOT EXISTS "+role+on,
			"GRANT"+on+" "+strings.Join(rightsOf(database, access), ", ")+" TO "+role+" WITH REPLACE OPTION",
			"CREATE SETTINGS PROFILE OR REPLACE "+role+on+" SETTINGS "+strings.Join(profiles[access], ", ")+" TO "+role,
		)
	}
	return all
}

// ApplyRoles makes the roles. The connection's account needs access management (CREATE ROLE, GRANT OPTION on the database, and
// CREATE SETTINGS PROFILE).
func ApplyRoles(ctx context.Context, conn driver.Conn, database, cluster string) error {
	for _, statement := range RoleStatements(database, cluster) {
		if err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(strings.Fields(statement)[:4], " "), err)
		}
	}
	return nil
}
