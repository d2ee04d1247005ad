// Package stream builds goka processors that are effectively once: whatever crashes, and whenever, a
// processor's outputs and state are those of one pass over its input, apart from repeated records that
// the next reader recognises by their source offset. It knows nothing of chats.
//
// How it is done:
//   - Marks are ordered (marks.go): a group commits an offset only when everything that all earlier
//     messages caused has been acknowledged.
//   - The producer is in order (producer.go): a record leaves only when every earlier one has been
//     acknowledged, so that what a processor has written is always a prefix of what it should write.
//   - State is rolled back (rollback.go): when a partition is assigned, its table is rebuilt as of the
//     group's committed offset, and the input is replayed from there. The store is in memory (store.go).
//   - A processor that stops on an error is built anew and restarted with a growing pause (processor.go).
package stream
