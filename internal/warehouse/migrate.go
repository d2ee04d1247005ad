package warehouse

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	ddl "github.com/feigeio/feige/schemas/clickhouse"
)

// MigrateOptions say where the tables go and how they are kept.
type MigrateOptions struct {
	// Database that is created and filled (see Database).
	Database string
	// Cluster, if set, is the name under which every statement runs ON CLUSTER.
	Cluster string
	// Replicated takes the replicated table engines, by the server's default path and replica name.
	Replicated bool
	// TimeZone of local times in the views for people (an IANA name). Empty: the policy's default. It is
	// fixed for a database when its views are made.
	TimeZone string
	// Retention says how long rows are kept. It is brought to every table by each run.
	Retention Retention
	// Fsync makes an insert wait until it is safe from a power loss, at about a third of the speed.
	Fsync bool
	// Logger is told of what was applied; nil: nothing is said.
	Logger *slog.Logger
}

// Migrate brings a database to the newest schema and returns the files that it applied, which are none when
// there was nothing to do. The connection's own default database need not exist and is not used.
//
// Running it again, at the same time from several places too, or after it stopped anywhere is harmless. A
// file that was applied and reads otherwise now is an error that names it, and so is a database that a newer
// program has migrated; nothing is touched then.
func Migrate(ctx context.Context, conn driver.Conn, options MigrateOptions) ([]string, error) {
	migrations, err := ddl.Migrations()
	if err != nil {
		return nil, err
	}
	return migrate(ctx, conn, options, migrations)
}

func migrate(ctx context.Context, conn driver.Conn, options MigrateOptions, migrations []ddl.Migration) ([]string, error) {
	m, err := newMigrator(conn, options)
	if err != nil {
		return nil, err
	}
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	done, err := m.done(ctx)
	if err != nil {
		return nil, err
	}
	if err := check(m.database, migrations, done); err != nil {
		return nil, err
	}
	var applied []string
	for _, migration := range migrations {
		if _, ok := done[migration.Version]; ok {
			continue
		}
		if err := m.apply(ctx, migration); err != nil {
			return applied, err
		}
		applied = append(applied, migration.Name)
		m.logger.Info("schema: applied", "file", migration.Name, "database", m.database)
	}
	return applied, m.keep(ctx)
}

type migrator struct {
	dialect
	conn      driver.Conn
	logger    *slog.Logger
	retention Retention
	fsync     bool
}

func newMigrator(conn driver.Conn, options MigrateOptions) (*migrator, error) {
	if options.Database == "" {
		return nil, fmt.Errorf("schema: no database is named")
	}
	if options.TimeZone == "" {
		options.TimeZone = ddl.TimeZone
	}
	if _, err := time.LoadLocation(options.TimeZone); err != nil {
		return nil, fmt.Errorf("schema: time zone: %w", err)
	}
	if err := options.Retention.Validate(); err != nil {
		return nil, fmt.Errorf("schema: retention: %w", err)
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &migrator{
		dialect: dialect{
			database: options.Database, cluster: options.Cluster, replicated: options.Replicated, timeZone: options.TimeZone,
		},
		conn: conn, logger: options.Logger, retention: options.Retention, fsync: options.Fsync,
	}, nil
}

// bookkeeping is written in the files' own dialect. Rows are never replaced but by equal ones, except when
// two runs apply the same file at the same time.
const bookkeeping = `
CREATE TABLE IF NOT EXISTS feige.schema_migrations /* ON CLUSTER */
(
    version    UInt32               COMMENT 'Number of the file',
    name       String               COMMENT 'Name of the file',
    checksum   String               COMMENT 'SHA-256 of the file when it was applied, hexadecimal',
    applied_at DateTime64(6, 'UTC') COMMENT 'When it was applied, UTC, microseconds'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
COMMENT 'Files of the schema that were applied to this database';`

// begin makes the database and the table of what was applied.
func (m *migrator) begin(ctx context.Context) error {
	create := "CREATE DATABASE IF NOT EXISTS " + quoteName(m.database) + m.onCluster()
	if err := m.conn.Exec(ctx, create); err != nil {
		return fmt.Errorf("schema: creating database %s: %w", m.database, err)
	}
	return m.exec(ctx, "schema_migrations", bookkeeping)
}

func (m *migrator) onCluster() string {
	if m.cluster == "" {
		return ""
	}
	return " ON CLUSTER " + quoteName(m.cluster)
}

func (m *migrator) exec(ctx context.Context, name, file string) error {
	statements, err := m.statements(file)
	if err != nil {
		return fmt.Errorf("schema: %s: %w", name, err)
	}
	for i, statement := range statements {
		if err := m.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("schema: %s: statement %d of %d in database %s: %w", name, i+1, len(statements), m.database, err)
		}
	}
	return nil
}

type record struct {
	name, checksum string
	at             time.Time
}

func (m *migrator) done(ctx context.Context) (map[uint32]record, error) {
	query := "SELECT version, name, checksum, applied_at FROM " + quoteName(m.database) + ".schema_migrations FINAL ORDER BY version"
	rows, err := m.conn.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("schema: reading what was applied to database %s: %w", m.database, err)
	}
	defer rows.Close()
	done := make(map[uint32]record)
	for rows.Next() {
		var version uint32
		var r record
		if err := rows.Scan(&version, &r.name, &r.checksum, &r.at); err != nil {
			return nil, fmt.Errorf("schema: reading what was applied to database %s: %w", m.database, err)
		}
		done[version] = r
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("schema: reading what was applied to database %s: %w", m.database, err)
	}
	return done, nil
}

// check compares what was applied with what there is.
func check(database string, migrations []ddl.Migration, done map[uint32]record) error {
	for version, r := range done {
		if version > uint32(len(migrations)) {
			return fmt.Errorf("schema: database %s has %s, which this program does not know: use the newer program that applied it (on %s)",
				database, r.name, r.at.UTC().Format(time.DateOnly))
		}
	}
	for _, migration := range migrations {
		r, ok := done[migration.Version]
		if ok && r.checksum != migration.Checksum {
			return fmt.Errorf("schema: %s is not what was applied to database %s as %s on %s: restore it and put the change into a new file",
				migration.Name, database, r.name, r.at.UTC().Format(time.DateOnly))
		}
	}
	return nil
}

func (m *migrator) apply(ctx context.Context, migration ddl.Migration) error {
	if err := m.exec(ctx, migration.Name, migration.SQL); err != nil {
		return err
	}
	insert := fmt.Sprintf("INSERT INTO %s.schema_migrations (version, name, checksum, applied_at) SELECT toUInt32(%d), %s, %s, now64(6)",
		quoteName(m.database), migration.Version, quoteString(migration.Name), quoteString(migration.Checksum))
	if err := m.conn.Exec(ctx, insert); err != nil {
		return fmt.Errorf("schema: noting that %s was applied to database %s: %w", migration.Name, m.database, err)
	}
	return nil
}
