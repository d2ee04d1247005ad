-- When the bot received, from topic reception.takeovers.

CREATE TABLE IF NOT EXISTS feige.takeovers_data /* ON CLUSTER */
(
    shop_id                 String                         COMMENT 'Shop that the bot received for' CODEC(ZSTD(1)),
    number                  Int64                          COMMENT 'Number of the takeover within the shop, from 1' CODEC(ZSTD(1)),
    trigger                 Enum8('unspecified' = 0, 'same_consumer' = 1, 'across_consumers' = 2) COMMENT 'Rule 2.1 that fired: (a) same_consumer, (b) across_consumers',
    started_at              DateTime64(6, 'UTC')           COMMENT 'Time of the message that triggered it, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    ended_at                Nullable(DateTime64(6, 'UTC')) COMMENT 'When a human received again, UTC, microseconds; NULL while the bot receives' CODEC(ZSTD(1)),
    takeover_end            Enum8('lasting' = 0, 'manual_reply' = 1, 'resumed' = 2) COMMENT 'What ended it; lasting: the bot still receives',
    ended_by                String                         COMMENT 'Agent who replied or resumed; empty while it lasts' CODEC(ZSTD(1)),
    trigger_event_id        String                         COMMENT 'Event that triggered it, as in chat_events' CODEC(ZSTD(1)),
    trigger_conversation_id String                         COMMENT 'Conversation of that event' CODEC(ZSTD(1)),
    trigger_consumer_id     String                         COMMENT 'Consumer who sent it' CODEC(ZSTD(1)),
    unreplied               Int32                          COMMENT 'Unreplied messages counted by the rule that fired',
    consumers               Int32                          COMMENT 'Distinct consumers among them',
    evidence_offsets        Array(Int64)                   COMMENT 'Offsets on chat.events, same partition, of the counted messages' CODEC(ZSTD(1)),
    unreplied_limit         Int32                          COMMENT 'Limit in force: the first unreplied message past it triggers',
    policy_version          LowCardinality(String)         COMMENT 'Version of the policy that set the limit',
    log_partition           Int32                          COMMENT 'Partition of chat.events and reception.takeovers' CODEC(Delta(4), ZSTD(1)),
    source_offset           Int64                          COMMENT 'Offset on chat.events of the event that began or ended it' CODEC(Delta(8), ZSTD(1)),
    version                 UInt64                         MATERIALIZED toUInt64(source_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(started_at)
ORDER BY (shop_id, number)
COMMENT 'Stretches of bot reception; storage, read takeovers instead';

CREATE OR REPLACE VIEW feige.takeovers /* ON CLUSTER */
(
    shop_id                 String                         COMMENT 'Shop that the bot received for',
    number                  Int64                          COMMENT 'Number of the takeover within the shop, from 1',
    trigger                 Enum8('unspecified' = 0, 'same_consumer' = 1, 'across_consumers' = 2) COMMENT 'Rule 2.1 that fired: (a) same_consumer, (b) across_consumers',
    started_at              DateTime64(6, 'UTC')           COMMENT 'Time of the message that triggered it, UTC, microseconds',
    ended_at                Nullable(DateTime64(6, 'UTC')) COMMENT 'When a human received again, UTC, microseconds; NULL while the bot receives',
    takeover_end            Enum8('lasting' = 0, 'manual_reply' = 1, 'resumed' = 2) COMMENT 'What ended it; lasting: the bot still receives',
    ended_by                String                         COMMENT 'Agent who replied or resumed; empty while it lasts',
    trigger_event_id        String                         COMMENT 'Event that triggered it, as in chat_events',
    trigger_conversation_id String                         COMMENT 'Conversation of that event',
    trigger_consumer_id     String                         COMMENT 'Consumer who sent it',
    unreplied               Int32                          COMMENT 'Unreplied messages counted by the rule that fired',
    consumers               Int32                          COMMENT 'Distinct consumers among them',
    evidence_offsets        Array(Int64)                   COMMENT 'Offsets on chat.events, same partition, of the counted messages',
    unreplied_limit         Int32                          COMMENT 'Limit in force: the first unreplied message past it triggers',
    policy_version          LowCardinality(String)         COMMENT 'Version of the policy that set the limit',
    log_partition           Int32                          COMMENT 'Partition of chat.events and reception.takeovers',
    source_offset           Int64                          COMMENT 'Offset on chat.events of the event that began or ended it'
)
AS SELECT
    shop_id, number, trigger, started_at, ended_at, takeover_end, ended_by, trigger_event_id,
    trigger_conversation_id, trigger_consumer_id, unreplied, consumers, evidence_offsets, unreplied_limit,
    policy_version, log_partition, source_offset
FROM feige.takeovers_data FINAL
COMMENT 'Every stretch of bot reception once, as it stands';
