// Package ops is what an operator holds on to: the log, the metrics and health endpoints, and the life
// of services (start in order, stop in reverse, one clear error).
//
// It must not know what any service does, nor any topic, table, or rule.
package ops
