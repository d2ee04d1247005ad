// Package inbox is a shop's work as its agents see it: which conversations are alive, who waits since when,
// and to whom each is assigned. It is a pure state machine over the shop's events in the order of the log, so
// that every relay that has read the same events says the same.
//
// It must not know connections or Kafka, and it counts nothing for the assessment: rounds and takeovers are
// the processors' business.
package inbox
