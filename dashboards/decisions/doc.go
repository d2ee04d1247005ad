// Package decisions answers other systems: whether a shop is restricted, what was decided about it and why, how it stands, and
// what has changed, as an HTTP API (openapi.yaml), a feed, and a webhook (docs/decision-api.md).
//
// It answers from memory, which it reads from service.restrictions and the service processor's table, so that it works
// while ClickHouse is away.
//
// It must not know how anything is decided: figures come from internal/assessment, decisions from the log.
package decisions
