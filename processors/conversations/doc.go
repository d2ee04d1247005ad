// Package conversations turns chat events into facts: it drops repeats, follows lives and rounds, and
// says by how much each event changes the windows of the assessment (rules, "Service assessment").
//
// Its state is one value per conversation, of bounded size. It keeps event time only: nothing here
// waits, and expiry is found at the conversation's next event. machine.go, lives.go, rounds.go, and
// windows.go know the rules and no Kafka; graph.go binds them to the topics.
package conversations
