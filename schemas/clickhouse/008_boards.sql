-- What boards ask often, sorted as they ask for it: by time, by agent, by account. Materialised views fill these tables from the
-- storage tables as rows are inserted. A row that comes twice is the same row here too, and one of its kind by the sorting
-- key: read FINAL, or with functions that do not mind repeats (max, argMax). Nothing is summed before it is asked for.
-- The last statement of each part takes over what is stored already; on a cluster of several shards it is to be run on
-- each of them.

CREATE TABLE IF NOT EXISTS feige.message_index /* ON CLUSTER */
(
    actor_role Enum8('unspecified' = 0, 'consumer' = 1, 'agent' = 2, 'bot' = 3, 'system' = 4) COMMENT 'On whose behalf the actor acts',
    time       DateTime64(6, 'UTC')   COMMENT 'When it happened, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    event_hash UInt32                 COMMENT 'Hash of shop and event id: tells the events of one microsecond apart',
    message    Bool                   COMMENT 'It is a message',
    automatic  Bool                   COMMENT 'Auto-reply, greeting macro, or the like',
    shop_id    LowCardinality(String) COMMENT 'Shop whose conversation it is' CODEC(ZSTD(1)),
    agent_id   LowCardinality(String) COMMENT 'Account of the agent; empty on what others did' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (actor_role, time, event_hash)
COMMENT 'Chat events by side and time, for curves over all shops; read FINAL';

CREATE MATERIALIZED VIEW IF NOT EXISTS feige.message_index_feed /* ON CLUSTER */ TO feige.message_index
AS SELECT
    actor_role, time, toUInt32(cityHash64(shop_id, event_id)) AS event_hash, kind = 'message' AS message, automatic, shop_id,
    if(actor_role = 'agent', actor_id, '') AS agent_id
FROM feige.chat_events_data
COMMENT 'Feeds message_index';

INSERT INTO feige.message_index (actor_role, time, event_hash, message, automatic, shop_id, agent_id)
SELECT
    actor_role, time, toUInt32(cityHash64(shop_id, event_id)), kind = 'message', automatic, shop_id, if(actor_role = 'agent', actor_id, '')
FROM feige.chat_events_data
SETTINGS max_partitions_per_insert_block = 0;

CREATE TABLE IF NOT EXISTS feige.round_index /* ON CLUSTER */
(
    started_at      DateTime64(6, 'UTC')   COMMENT 'Time of the first consumer message, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    shop_id         LowCardinality(String) COMMENT 'Shop that was to answer' CODEC(ZSTD(1)),
    conversation_id String                 COMMENT 'Conversation within the shop' CODEC(ZSTD(1)),
    number          Int64                  COMMENT 'Number of the round within its conversation, from 1' CODEC(T64, ZSTD(1)),
    outcome         Enum8('moved' = 0, 'open' = 1, 'answered' = 2, 'expired' = 3, 'closed' = 4, 'withdrawn' = 5) COMMENT 'How it stands or ended',
    consumer_id     String                 COMMENT 'Consumer who waits' CODEC(ZSTD(1)),
    counted         Bool                   COMMENT 'The start lies in assessed time',
    version         UInt64                 COMMENT 'Version of the row, as in rounds_data' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, shop_id, conversation_id, number)
COMMENT 'Rounds by their start, for who waits now; a round whose start was moved stands at both: take the newest version of shop, conversation, and number';

CREATE MATERIALIZED VIEW IF NOT EXISTS feige.round_index_feed /* ON CLUSTER */ TO feige.round_index
AS SELECT started_at, shop_id, conversation_id, number, outcome, consumer_id, counted, version
FROM feige.rounds_data
COMMENT 'Feeds round_index';

INSERT INTO feige.round_index (started_at, shop_id, conversation_id, number, outcome, consumer_id, counted, version)
SELECT started_at, shop_id, conversation_id, number, outcome, consumer_id, counted, version
FROM feige.rounds_data
SETTINGS max_partitions_per_insert_block = 0;

CREATE TABLE IF NOT EXISTS feige.reply_index /* ON CLUSTER */
(
    local_day       Date                   COMMENT 'Day in the time zone of the policy in which the round began',
    agent_key       UInt64                 COMMENT 'Hash of shop and agent',
    source_offset   Int64                  COMMENT 'Offset on chat.events of the reply; with the shop it tells replies apart' CODEC(Delta(8), ZSTD(1)),
    shop_id         LowCardinality(String) COMMENT 'Shop of the agent' CODEC(ZSTD(1)),
    agent_id        LowCardinality(String) COMMENT 'Agent who sent the reply' CODEC(ZSTD(1)),
    wait_us         Int64                  COMMENT 'Reply minus start of the round, microseconds' CODEC(T64, ZSTD(1)),
    within          Bool                   COMMENT 'Answered within the limit of the policy (180 s)',
    started_at      DateTime64(6, 'UTC')   COMMENT 'When the round began, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    conversation_id String                 COMMENT 'Conversation within the shop' CODEC(ZSTD(1)),
    consumer_id     String                 COMMENT 'Consumer who waited' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(local_day)
ORDER BY (local_day, agent_key, source_offset)
COMMENT 'Answered rounds that count, by day and agent; an answered round no longer changes; read FINAL';

CREATE MATERIALIZED VIEW IF NOT EXISTS feige.reply_index_feed /* ON CLUSTER */ TO feige.reply_index
AS SELECT
    toDate(started_at, 'Asia/Shanghai') AS local_day, cityHash64(shop_id, agent_id) AS agent_key, source_offset, shop_id, agent_id,
    assumeNotNull(wait_us) AS wait_us, within, started_at, conversation_id, consumer_id
FROM feige.rounds_data
WHERE outcome = 'answered' AND counted
COMMENT 'Feeds reply_index';

INSERT INTO feige.reply_index (local_day, agent_key, source_offset, shop_id, agent_id, wait_us, within, started_at, conversation_id, consumer_id)
SELECT
    toDate(started_at, 'Asia/Shanghai'), cityHash64(shop_id, agent_id), source_offset, shop_id, agent_id, assumeNotNull(wait_us), within,
    started_at, conversation_id, consumer_id
FROM feige.rounds_data
WHERE outcome = 'answered' AND counted
SETTINGS max_partitions_per_insert_block = 0;

CREATE TABLE IF NOT EXISTS feige.sign_in_index /* ON CLUSTER */
(
    shop_id      String                 COMMENT 'Shop of the account' CODEC(ZSTD(1)),
    account_id   String                 COMMENT 'Account of the agent' CODEC(ZSTD(1)),
    kind         Enum8('signed_in' = 18, 'signed_out' = 19) COMMENT 'What the newest event was',
    time         DateTime64(6, 'UTC')   COMMENT 'When it happened, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    client       LowCardinality(String) COMMENT 'Client application' CODEC(ZSTD(1)),
    version      UInt128                COMMENT 'Time, then offset on chat.events: the newest sign-in or sign-out wins' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (shop_id, account_id)
COMMENT 'The newest sign-in or sign-out of every agent; read FINAL';

CREATE MATERIALIZED VIEW IF NOT EXISTS feige.sign_in_index_feed /* ON CLUSTER */ TO feige.sign_in_index
AS SELECT
    shop_id, account_id, kind, time, client,
    bitShiftLeft(toUInt128(toUnixTimestamp64Micro(time)), 64) + toUInt64(log_offset) AS version
FROM feige.sign_ins_data
WHERE account_role = 'agent' AND kind != 'refused'
COMMENT 'Feeds sign_in_index';

INSERT INTO feige.sign_in_index (shop_id, account_id, kind, time, client, version)
SELECT
    shop_id, account_id, kind, time, client, bitShiftLeft(toUInt128(toUnixTimestamp64Micro(time)), 64) + toUInt64(log_offset)
FROM feige.sign_ins_data
WHERE account_role = 'agent' AND kind != 'refused';

CREATE TABLE IF NOT EXISTS feige.position_index /* ON CLUSTER */
(
    source        LowCardinality(String) COMMENT 'What the offset is of: events (chat_events), facts (rounds)',
    log_partition Int32                  COMMENT 'Partition of topic chat.events',
    log_offset    SimpleAggregateFunction(max, Int64) COMMENT 'Newest offset on chat.events that is stored',
    time          SimpleAggregateFunction(max, DateTime64(6, 'UTC')) COMMENT 'Newest time among the rows, UTC, microseconds'
)
ENGINE = AggregatingMergeTree
ORDER BY (source, log_partition)
COMMENT 'How far rows are stored; read max()';

CREATE MATERIALIZED VIEW IF NOT EXISTS feige.position_index_events /* ON CLUSTER */ TO feige.position_index
AS SELECT 'events' AS source, log_partition, max(e.log_offset) AS log_offset, max(e.time) AS time
FROM feige.chat_events_data AS e
GROUP BY log_partition
COMMENT 'Feeds position_index';

CREATE MATERIALIZED VIEW IF NOT EXISTS feige.position_index_facts /* ON CLUSTER */ TO feige.position_index
AS SELECT 'facts' AS source, log_partition, max(source_offset) AS log_offset, max(started_at) AS time
FROM feige.rounds_data
GROUP BY log_partition
COMMENT 'Feeds position_index';

INSERT INTO feige.position_index (source, log_partition, log_offset, time)
SELECT 'events', log_partition, max(log_offset), max(e.time) FROM feige.chat_events_data AS e GROUP BY log_partition;

INSERT INTO feige.position_index (source, log_partition, log_offset, time)
SELECT 'facts', log_partition, max(source_offset), max(started_at) FROM feige.rounds_data GROUP BY log_partition;
