// Package protocol is what the relay and its clients say to each other: frames, error codes, positions,
// and how an event's id follows from a client's. docs/protocol.md explains it to people.
//
// It must not know how frames travel, and it knows no rule of the service.
package protocol
