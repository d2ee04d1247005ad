// Package audit says whether ClickHouse answers what the log of chat events amounts to: it reads
// chat.events from its beginning up to where it ended when the audit began (or up to given offsets), lets the oracle work out
// every round, life, rating, takeover, snapshot, and decision, and holds them against the rows of the
// views, one by one.
//
// It does the same for violations.cases: flags, verdicts, and appeals are held against what the log says, and
// sanctions against the oracle's reading of the ladder. What a detector should have found is no question of its.
//
// It knows topics, views, and the oracle's results; it must not know how processors and sinks came by their
// rows. It changes nothing. Waiting until everything has been processed is the caller's affair; on a
// system that goes on meanwhile, rows that rest on records behind the noted end are set aside, not
// taken for differences.
package audit
