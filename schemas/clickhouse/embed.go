// Package ddl holds the tables and views of ClickHouse as SQL files, NNN_subject.sql, in the order in which they are
// applied. Every file is valid SQL as it stands, for one server and the database "feige"; what applies
// them may put another database, a cluster, replicated engines, or another time zone in their place:
//
//   - the name feige before a dot is the database,
//   - the comment "ON CLUSTER" in its slashes stands where that clause goes,
//   - ReplacingMergeTree is the engine that a cluster replicates,
//   - the string 'Asia/Shanghai' is the time zone of the policy.
//
// A file that has been applied anywhere must not change: a change is a new file. Every statement can be
// repeated (IF NOT EXISTS, OR REPLACE), so that a file that stopped half-way starts again from its top.
//
// Storage tables end in _data. Views with the plain names read them FINAL, so that what a user asks for by
// the obvious name holds every row once. The package knows no client and no server.
package ddl

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
)

//go:embed *.sql
var files embed.FS

// Database is the name that the files use.
const Database = "feige"

// TimeZone is the time zone that the files use for local times.
const TimeZone = "Asia/Shanghai"

// ClusterMark is the comment that stands where an ON CLUSTER clause goes.
const ClusterMark = "/* ON CLUSTER */"

// Migration is one file.
type Migration struct {
	// Version is the number that the file's name begins with, from 1, without gaps.
	Version uint32
	// Name of the file.
	Name string
	// SQL is the file as it stands.
	SQL string
	// Checksum is the SHA-256 of the file, hexadecimal.
	Checksum string
}

var namePattern = regexp.MustCompile(`^(\d{3})_[a-z0-9_]+\.sql$`)

// Migrations are the product's files by version.
func Migrations() ([]Migration, error) { return Read(files) }

// Read takes every .sql file at the root of a file system, by version.
func Read(from fs.FS) ([]Migration, error) {
	names, err := fs.Glob(from, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	var migrations []Migration
	for i, name := range names { // Glob sorts by name
		match := namePattern.FindStringSubmatch(name)
		if match == nil {
			return nil, fmt.Errorf("migration %s: the name must be NNN_subject.sql in lower case", name)
		}
		version, err := strconv.ParseUint(match[1], 10, 32)
		if err != nil || version != uint64(i+1) {
			return nil, fmt.Errorf("migration %s: its number must be %03d: numbers go up from 001 without gaps", name, i+1)
		}
		sql, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		sum := sha256.Sum256(sql)
		migrations = append(migrations, Migration{Version: uint32(version), Name: name, SQL: string(sql), Checksum: hex.EncodeToString(sum[:])})
	}
	return migrations, nil
}
