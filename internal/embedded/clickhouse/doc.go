// Package clickhouse is the embedded ClickHouse: the engine as a library in this process, behind the same
// HTTP interface that a ClickHouse server has, on a loopback address. What is written for a cluster
// (clickhouse-go with Protocol HTTP, curl, Grafana's plug-in) works with it unchanged.
//
// It must not know what is stored: no table, no database of the product is named here.
//
// Each request gets a session of its own, which ends with it. Rights are the engine's: a request runs under
// a role of the engine, and no role holds a right to files, programs, or other machines. Package statement
// refuses before that what the engine would not.
//
// The library is fetched once by Fetch and kept in the user's cache directory. One process holds one engine.
package clickhouse
