// Package scenario makes up small logs that are likely to reach the corners of docs/semantics.md: bursts
// across the edges of the working day, month ends, exact bounds to the microsecond, late and repeated
// events, floods, shields, takeovers, re-openings, ticks that are dense, sparse, or missing. The same
// seed always gives the same log; drawn through rapid, a log shrinks.
//
// It is for tests that hold two readings of a log against each other. It knows what events look like
// and where the rules have edges, but not what must come of a log.
package scenario
