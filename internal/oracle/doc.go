// Package oracle is a second, independent reading of docs/semantics.md: given one partition's whole
// log it says what rounds, lives, ratings, takeovers, snapshots, and decisions must come of it. It is
// plain, slow, and single-threaded on purpose. Everything that is counted is kept in lists that say at
// which position of the log it came, moved, or went; a figure is always counted anew from those lists
// "as of" a position, never by adding differences up.
//
// It shares the policy's values and the record types with the processors and nothing else: it must not
// know processors, sinks, Kafka, or ClickHouse. Days, half-months, and daily hours it works out by
// package time. It never asks what time it is now.
//
// Not computed: Kpi.version, Takeover.source_offset, and Decision.source_offset, which number the
// records and say nothing of their content.
package oracle
