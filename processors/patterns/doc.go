// Package patterns flags what only shows over several events: the same advertisement sent again and again, across
// conversations and shops (2.7), a shop that blocks far more often than its peers (2.9), and sign-ins that look taken
// over (2.2). Every flag is a step of a case, as those of the violations processor.
//
// machine.go knows the rules and no Kafka, graph.go binds it to the topics. States are bounded: 64 advertisements of a
// sender, 16 sign-ins of an account, 7 days of a shop. A key's signals of one source partition come in the order of its
// log, so that what a restart of the stage before repeats is known by its offset.
package patterns
