// Package sinks writes what flows to ClickHouse: every record of every topic that is not a table becomes the
// rows of schemas/clickhouse.
//
// A Sink is one member of the consumer group "sinks". It gathers records into a batch; when the batch is full
// or old enough it inserts the rows of each table, and only when every insert is acknowledged it commits the
// offsets. The next batch fills meanwhile, so that batches grow with the load and never beyond their bounds; when both
// are full the sink stops polling. While ClickHouse or Kafka is away it waits and tries again, for ever, and
// skips nothing. A crash between insert and commit repeats rows, and the tables' sorting keys make repeats
// harmless (see package ddl).
//
// A record that cannot be decoded, that says what no record may say, or whose rows ClickHouse refuses for
// their data goes to topic dead.letters, acknowledged by all replicas before the commit; package
// deadletters lists and re-submits them.
//
// The package knows no rule: it copies what processors found out, and it never reads ClickHouse.
package sinks
