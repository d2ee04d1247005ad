// Package review is the reviewers' desk: the queue of suspected violations that no detector was sure of, claims, verdicts,
// appeals, an account's history, and how reviewers and detectors agree, as an HTTP API (openapi.yaml) and as a page.
// Both sides of a conversation may see what was decided about them and appeal here.
//
// Everything rests on the log: an instance reads violations.cases, review.claims, and penalties.sanctions into memory, and
// writes steps of cases and claims, so that any number of instances agree. Chat texts come from ClickHouse, and
// every reading of a conversation is on audit.reads before it is shown (rules 2.1).
//
// It must not know what follows from a verdict: the penalties processor derives that.
package review
