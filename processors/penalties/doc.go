// Package penalties turns the log of cases into sanctions: the ladder of mutes and bans for consumers,
// violation points and milestones for shops, appeals, and reversals (rules, "Verification" and "Penalties").
//
// cases.go follows the steps of an offender's cases, and derive.go says what they amount to, anew at
// every step, so that a reversal re-derives everything that rested on it. Both know no Kafka; graph.go
// binds them to the topics. The table is what relays read before they let anybody speak.
package penalties
