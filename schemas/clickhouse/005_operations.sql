-- What operators need: records that a stage could not take, and who read a conversation.

CREATE TABLE IF NOT EXISTS feige.dead_letters_data /* ON CLUSTER */
(
    topic          LowCardinality(String)         COMMENT 'Topic that the record stands on',
    log_partition  Int32                          COMMENT 'Partition that the record stands on',
    log_offset     Int64                          COMMENT 'Offset that the record stands at' CODEC(Delta(8), ZSTD(1)),
    stage          LowCardinality(String)         COMMENT 'Stage that gave up on it',
    code           LowCardinality(String)         COMMENT 'Kind of failure: decode, invalid, misplaced, insert, …',
    reason         String                         COMMENT 'What was wrong, for people' CODEC(ZSTD(3)),
    record_at      DateTime64(6, 'UTC')           COMMENT 'Time stamp of the record on its topic, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    letter_at      DateTime64(6, 'UTC')           COMMENT 'Time stamp of the newest word about it on topic dead.letters, UTC, milliseconds' CODEC(Delta(8), ZSTD(1)),
    resubmitted_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was last submitted again, UTC, microseconds; NULL: not since it last failed' CODEC(ZSTD(1)),
    record_key     String                         COMMENT 'Key of the record, bytes' CODEC(ZSTD(3)),
    record_value   String                         COMMENT 'Value of the record, bytes; may hold chat text, confidential by rules 2.1' CODEC(ZSTD(3)),
    letter_offset  Int64                          COMMENT 'Offset of the newest word about it on topic dead.letters' CODEC(Delta(8), ZSTD(1)),
    version        UInt64                         MATERIALIZED toUInt64(letter_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(record_at)
ORDER BY (topic, log_partition, log_offset, stage)
COMMENT 'Records that a stage could not take, with their bytes; storage, read dead_letters instead';

CREATE OR REPLACE VIEW feige.dead_letters /* ON CLUSTER */
(
    topic          LowCardinality(String)         COMMENT 'Topic that the record stands on',
    log_partition  Int32                          COMMENT 'Partition that the record stands on',
    log_offset     Int64                          COMMENT 'Offset that the record stands at',
    stage          LowCardinality(String)         COMMENT 'Stage that gave up on it',
    code           LowCardinality(String)         COMMENT 'Kind of failure: decode, invalid, misplaced, insert, …',
    reason         String                         COMMENT 'What was wrong, for people',
    record_at      DateTime64(6, 'UTC')           COMMENT 'Time stamp of the record on its topic, UTC, microseconds',
    letter_at      DateTime64(6, 'UTC')           COMMENT 'Time stamp of the newest word about it on topic dead.letters, UTC, milliseconds',
    resubmitted_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was last submitted again, UTC, microseconds; NULL: not since it last failed',
    letter_offset  Int64                          COMMENT 'Offset of the newest word about it on topic dead.letters',
    value_bytes    UInt64                         COMMENT 'Size of the value of the record, bytes'
)
AS SELECT
    topic, log_partition, log_offset, stage, code, reason, record_at, letter_at, resubmitted_at, letter_offset,
    length(record_value) AS value_bytes
FROM feige.dead_letters_data FINAL
COMMENT 'Every record that a stage could not take once, without its bytes';

CREATE TABLE IF NOT EXISTS feige.audit_reads_data /* ON CLUSTER */
(
    shop_id         String                 COMMENT 'Shop whose conversation was read' CODEC(ZSTD(1)),
    conversation_id String                 COMMENT 'Conversation that was read' CODEC(ZSTD(1)),
    read_id         String                 COMMENT 'Unique id of the read' CODEC(ZSTD(1)),
    time            DateTime64(6, 'UTC')   COMMENT 'When it was read, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    reader_role     LowCardinality(String) COMMENT 'Role under which it was read: reviewer, manager, auditor, service',
    reader_id       String                 COMMENT 'Account that read it' CODEC(ZSTD(1)),
    authorised_by   String                 COMMENT 'Grant, order, or appeal that allowed the read' CODEC(ZSTD(1)),
    purpose         String                 COMMENT 'Why it was read, for people' CODEC(ZSTD(1)),
    address         String                 COMMENT 'Network address of the reader' CODEC(ZSTD(1)),
    messages        UInt32                 COMMENT 'Messages that were shown'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (shop_id, read_id)
COMMENT 'Reads of conversations by anyone but their two sides (rules 2.1); storage, read audit_reads instead';

CREATE OR REPLACE VIEW feige.audit_reads /* ON CLUSTER */
(
    shop_id         String                 COMMENT 'Shop whose conversation was read',
    conversation_id String                 COMMENT 'Conversation that was read',
    read_id         String                 COMMENT 'Unique id of the read',
    time            DateTime64(6, 'UTC')   COMMENT 'When it was read, UTC, microseconds',
    reader_role     LowCardinality(String) COMMENT 'Role under which it was read: reviewer, manager, auditor, service',
    reader_id       String                 COMMENT 'Account that read it',
    authorised_by   String                 COMMENT 'Grant, order, or appeal that allowed the read',
    purpose         String                 COMMENT 'Why it was read, for people',
    address         String                 COMMENT 'Network address of the reader',
    messages        UInt32                 COMMENT 'Messages that were shown'
)
AS SELECT
    shop_id, conversation_id, read_id, time, reader_role, reader_id, authorised_by, purpose, address, messages
FROM feige.audit_reads_data FINAL
COMMENT 'Every read of a conversation by anyone but its two sides once (rules 2.1)';
