-- What the chats amounted to, from topic chat.facts. Of the rows of one key the one with the newest source offset
-- counts.

CREATE TABLE IF NOT EXISTS feige.rounds_data /* ON CLUSTER */
(
    shop_id         String                         COMMENT 'Shop that was to answer' CODEC(ZSTD(1)),
    conversation_id String                         COMMENT 'Conversation within the shop' CODEC(ZSTD(1)),
    number          Int64                          COMMENT 'Number of the round within its conversation, from 1' CODEC(ZSTD(1)),
    life            Int64                          COMMENT 'Number of the life of the conversation in which the round began, from 1' CODEC(ZSTD(1)),
    number_in_life  Int64                          COMMENT 'Number of the round within that life, from 1' CODEC(ZSTD(1)),
    outcome         Enum8('moved' = 0, 'open' = 1, 'answered' = 2, 'expired' = 3, 'closed' = 4, 'withdrawn' = 5) COMMENT 'How it stands or ended; moved: left this month because its first message was shielded',
    started_at      DateTime64(6, 'UTC')           COMMENT 'Time of the first consumer message, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    ended_at        Nullable(DateTime64(6, 'UTC')) COMMENT 'Time of the reply, expiry, or closing, UTC, microseconds; NULL while open' CODEC(ZSTD(1)),
    wait_us         Nullable(Int64)                COMMENT 'Reply minus start, microseconds; NULL unless answered' CODEC(ZSTD(1)),
    agent_id        String                         COMMENT 'Agent who sent the reply; empty unless answered' CODEC(ZSTD(1)),
    consumer_id     String                         COMMENT 'Consumer who waited' CODEC(ZSTD(1)),
    counted         Bool                           COMMENT 'The start lies in assessed time',
    within          Bool                           COMMENT 'Answered within the limit of the policy (180 s)',
    start_offset    Int64                          COMMENT 'Offset on chat.events of the message that began the round' CODEC(Delta(8), ZSTD(1)),
    log_partition   Int32                          COMMENT 'Partition of chat.events and chat.facts' CODEC(Delta(4), ZSTD(1)),
    source_offset   Int64                          COMMENT 'Offset on chat.events of the newest event that changed the round' CODEC(Delta(8), ZSTD(1)),
    version         UInt64                         COMMENT 'Version of the row: twice the source offset, plus 1 unless outcome is moved' CODEC(Delta(8), ZSTD(1)),
    INDEX time_range started_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(started_at)
ORDER BY (shop_id, conversation_id, number)
COMMENT 'Rounds of waiting; storage, read rounds instead';

CREATE OR REPLACE VIEW feige.rounds /* ON CLUSTER */
(
    shop_id         String                         COMMENT 'Shop that was to answer',
    conversation_id String                         COMMENT 'Conversation within the shop',
    number          Int64                          COMMENT 'Number of the round within its conversation, from 1',
    life            Int64                          COMMENT 'Number of the life of the conversation in which the round began, from 1',
    number_in_life  Int64                          COMMENT 'Number of the round within that life, from 1',
    outcome         Enum8('moved' = 0, 'open' = 1, 'answered' = 2, 'expired' = 3, 'closed' = 4, 'withdrawn' = 5) COMMENT 'How it stands or ended; moved: left this month because its first message was shielded',
    started_at      DateTime64(6, 'UTC')           COMMENT 'Time of the first consumer message, UTC, microseconds',
    ended_at        Nullable(DateTime64(6, 'UTC')) COMMENT 'Time of the reply, expiry, or closing, UTC, microseconds; NULL while open',
    wait_us         Nullable(Int64)                COMMENT 'Reply minus start, microseconds; NULL unless answered',
    agent_id        String                         COMMENT 'Agent who sent the reply; empty unless answered',
    consumer_id     String                         COMMENT 'Consumer who waited',
    counted         Bool                           COMMENT 'The start lies in assessed time',
    within          Bool                           COMMENT 'Answered within the limit of the policy (180 s)',
    start_offset    Int64                          COMMENT 'Offset on chat.events of the message that began the round',
    log_partition   Int32                          COMMENT 'Partition of chat.events and chat.facts',
    source_offset   Int64                          COMMENT 'Offset on chat.events of the newest event that changed the round'
)
AS SELECT
    shop_id, conversation_id, number, life, number_in_life, outcome, started_at, ended_at, wait_us, agent_id,
    consumer_id, counted, within, start_offset, log_partition, source_offset
FROM feige.rounds_data FINAL
WHERE outcome NOT IN ('moved', 'withdrawn')
COMMENT 'Every round of waiting once, as it stands; withdrawn ones are left out';

CREATE TABLE IF NOT EXISTS feige.conversations_data /* ON CLUSTER */
(
    shop_id         String                         COMMENT 'Shop of the conversation' CODEC(ZSTD(1)),
    conversation_id String                         COMMENT 'Conversation within the shop' CODEC(ZSTD(1)),
    life            Int64                          COMMENT 'Number of the life of the conversation, from 1' CODEC(ZSTD(1)),
    started_at      DateTime64(6, 'UTC')           COMMENT 'Time of the first event of the life, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    ended_at        Nullable(DateTime64(6, 'UTC')) COMMENT 'When the life ended, UTC, microseconds; NULL while it lives or until the lapse is noticed' CODEC(ZSTD(1)),
    life_end        Enum8('open' = 0, 'closed' = 1, 'lapsed' = 2) COMMENT 'How the life ended; lapsed: 24 h without a message of either side',
    consumer_id     String                         COMMENT 'Consumer of the conversation' CODEC(ZSTD(1)),
    first_agent_id  String                         COMMENT 'First agent who replied by hand; empty before' CODEC(ZSTD(1)),
    first_reply_at  Nullable(DateTime64(6, 'UTC')) COMMENT 'Time of the first manual reply, UTC, microseconds; NULL before' CODEC(ZSTD(1)),
    rounds          Int64                          COMMENT 'Rounds of the life when it began, was first answered, or ended, whichever came last' CODEC(ZSTD(1)),
    log_partition   Int32                          COMMENT 'Partition of chat.events and chat.facts' CODEC(Delta(4), ZSTD(1)),
    source_offset   Int64                          COMMENT 'Offset on chat.events of the newest event that changed the life' CODEC(Delta(8), ZSTD(1)),
    version         UInt64                         MATERIALIZED toUInt64(source_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1)),
    INDEX time_range started_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(started_at)
ORDER BY (shop_id, conversation_id, life)
COMMENT 'Lives of conversations without their rating; storage, read conversations instead';

CREATE TABLE IF NOT EXISTS feige.ratings_data /* ON CLUSTER */
(
    shop_id         String               COMMENT 'Shop that was rated' CODEC(ZSTD(1)),
    conversation_id String               COMMENT 'Conversation within the shop' CODEC(ZSTD(1)),
    life            Int64                COMMENT 'Number of the rated life of the conversation, from 1' CODEC(ZSTD(1)),
    score           UInt8                COMMENT 'Satisfaction of the consumer, 1 to 5; 1 and 2 are dissatisfied',
    rated_at        DateTime64(6, 'UTC') COMMENT 'When the rating was given, UTC, microseconds; it may be after the end of the life' CODEC(Delta(8), ZSTD(1)),
    consumer_id     String               COMMENT 'Consumer who rated' CODEC(ZSTD(1)),
    log_partition   Int32                COMMENT 'Partition of chat.events and chat.facts' CODEC(Delta(4), ZSTD(1)),
    source_offset   Int64                COMMENT 'Offset on chat.events of the rating' CODEC(Delta(8), ZSTD(1)),
    version         UInt64               MATERIALIZED toUInt64(source_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(rated_at)
ORDER BY (shop_id, conversation_id, life)
COMMENT 'The one rating of each life that stands; storage, read ratings instead';

CREATE OR REPLACE VIEW feige.ratings /* ON CLUSTER */
(
    shop_id         String               COMMENT 'Shop that was rated',
    conversation_id String               COMMENT 'Conversation within the shop',
    life            Int64                COMMENT 'Number of the rated life of the conversation, from 1',
    score           UInt8                COMMENT 'Satisfaction of the consumer, 1 to 5; 1 and 2 are dissatisfied',
    rated_at        DateTime64(6, 'UTC') COMMENT 'When the rating was given, UTC, microseconds; it may be after the end of the life',
    consumer_id     String               COMMENT 'Consumer who rated',
    log_partition   Int32                COMMENT 'Partition of chat.events and chat.facts',
    source_offset   Int64                COMMENT 'Offset on chat.events of the rating'
)
AS SELECT
    shop_id, conversation_id, life, score, rated_at, consumer_id, log_partition, source_offset
FROM feige.ratings_data FINAL
COMMENT 'The one rating of each life that stands';

CREATE OR REPLACE VIEW feige.conversations /* ON CLUSTER */
(
    shop_id         String                         COMMENT 'Shop of the conversation',
    conversation_id String                         COMMENT 'Conversation within the shop',
    life            Int64                          COMMENT 'Number of the life of the conversation, from 1',
    started_at      DateTime64(6, 'UTC')           COMMENT 'Time of the first event of the life, UTC, microseconds',
    ended_at        Nullable(DateTime64(6, 'UTC')) COMMENT 'When the life ended, UTC, microseconds; NULL while it lives or until the lapse is noticed',
    life_end        Enum8('open' = 0, 'closed' = 1, 'lapsed' = 2) COMMENT 'How the life ended; lapsed: 24 h without a message of either side',
    consumer_id     String                         COMMENT 'Consumer of the conversation',
    first_agent_id  String                         COMMENT 'First agent who replied by hand; empty before',
    first_reply_at  Nullable(DateTime64(6, 'UTC')) COMMENT 'Time of the first manual reply, UTC, microseconds; NULL before',
    rounds          Int64                          COMMENT 'Rounds of the life when it began, was first answered, or ended, whichever came last',
    log_partition   Int32                          COMMENT 'Partition of chat.events and chat.facts',
    source_offset   Int64                          COMMENT 'Offset on chat.events of the newest event that changed the life',
    score           Nullable(UInt8)                COMMENT 'Satisfaction of the consumer with this life, 1 to 5; NULL without a rating',
    rated_at        Nullable(DateTime64(6, 'UTC')) COMMENT 'When the rating was given, UTC, microseconds; NULL without a rating'
)
AS SELECT
    l.shop_id AS shop_id, l.conversation_id AS conversation_id, l.life AS life, l.started_at AS started_at,
    l.ended_at AS ended_at, l.life_end AS life_end, l.consumer_id AS consumer_id,
    l.first_agent_id AS first_agent_id, l.first_reply_at AS first_reply_at, l.rounds AS rounds,
    l.log_partition AS log_partition, l.source_offset AS source_offset,
    if(r.life = 0, NULL, r.score) AS score,
    if(r.life = 0, NULL, r.rated_at) AS rated_at
FROM (SELECT * FROM feige.conversations_data FINAL) AS l
LEFT JOIN (SELECT shop_id, conversation_id, life, score, rated_at FROM feige.ratings_data FINAL) AS r
    ON l.shop_id = r.shop_id AND l.conversation_id = r.conversation_id AND l.life = r.life
COMMENT 'Every life of every conversation once, as it stands, with its rating';
