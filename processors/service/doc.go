// Package service assesses shops: it sums up what facts say into the indicators of every day and
// half-month, tells windows as they change, and decides at the end of each half-month (rules, "Service
// assessment").
//
// state.go, windows.go, indicators.go, sketch.go, and decisions.go know the rules and no Kafka; graph.go
// binds them to the topics and says when time has moved on. The state is one value per shop, of bounded
// size: the windows that may still change, each with counts and a sketch of waits.
package service
