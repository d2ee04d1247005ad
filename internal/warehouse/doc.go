// Package warehouse says how to reach ClickHouse, once, for everything that stores or asks: a cluster by the
// native protocol or HTTP, and the embedded engine by HTTP, alike. It also brings a database to the newest
// schema (Migrate).
//
// It must not know what the rows mean; sinks write them and reports read them.
package warehouse
