// Package kafka is the embedded Kafka broker: one process, one directory, the real protocol on loopback,
// so that the whole product runs on one machine and any Kafka client can look on. It also keeps the
// directory small: compaction of table topics and retention of the others, in a way that survives being
// killed at any instant.
//
// It must not know what the records mean. All it reads of a value is the input offset that a table value
// rests on.
package kafka
