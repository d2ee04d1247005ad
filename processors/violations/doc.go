// Package violations flags what breaks rules 2.3 to 2.10 in chat events: messages and files by the
// moderation library, and blocks that follow a question, a complaint, or a bad rating (2.9). Every flag is a
// step of a case against its offender: the consumer, or the shop for its agents.
//
// machine.go knows the rules and no Kafka; graph.go binds it to the topics. A flag's id derives from the event
// and the finding, so that an event seen again yields the same flags.
package violations
