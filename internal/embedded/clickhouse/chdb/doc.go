// Package chdb binds libchdb, the ClickHouse engine as one shared library, without cgo.
//
// The library is global to a process: it is loaded once, holds one data directory at a time, and lives as
// long as one connection is open. This package knows calls and memory, nothing of HTTP, users, or what a
// statement means; package clickhouse stands on it.
//
// Contract of a Conn: one statement at a time, from one goroutine. Whoever opens it closes it, after the
// results, streams, and inserts that came from it.
package chdb
