-- What a shop's windows and half-months came to, from topics service.kpis and service.restrictions. The indicators of a
-- snapshot stand in arrays of equal length in its row, so that a snapshot is whole or not there at all; the
-- view service_indicators lays them out one a row.

CREATE TABLE IF NOT EXISTS feige.service_kpis_data /* ON CLUSTER */
(
    shop_id                     String                        COMMENT 'Shop that is assessed' CODEC(ZSTD(1)),
    window_kind                 Enum8('unspecified' = 0, 'day' = 1, 'half_month' = 2) COMMENT 'Day, or half of a month (1st to 15th, 16th to last), of the time zone of the policy',
    window_start                DateTime64(6, 'UTC')          COMMENT 'First instant of the window, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    window_end                  DateTime64(6, 'UTC')          COMMENT 'First instant after the window, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    version                     UInt64                        COMMENT 'Version of the snapshot: twice the offset on chat.events of the newest event that counted, plus 1 once final' CODEC(Delta(8), ZSTD(1)),
    is_final                    Bool                          COMMENT 'The window no longer changes: its end plus the lateness has passed',
    rounds                      Int64                         COMMENT 'Rounds whose start lies in assessed time' CODEC(T64, ZSTD(1)),
    rounds_answered             Int64                         COMMENT 'Of the counted rounds, those answered within 24 h' CODEC(T64, ZSTD(1)),
    rounds_within               Int64                         COMMENT 'Of the counted rounds, those answered within the limit (180 s)' CODEC(T64, ZSTD(1)),
    wait_sum_us                 Int64                         COMMENT 'Sum of the waits of answered rounds, microseconds' CODEC(T64, ZSTD(1)),
    first_answered              Int64                         COMMENT 'First rounds of a life that were answered' CODEC(T64, ZSTD(1)),
    first_wait_sum_us           Int64                         COMMENT 'Sum of the waits of answered first rounds, microseconds' CODEC(T64, ZSTD(1)),
    conversations               Int64                         COMMENT 'Conversations with at least one counted round' CODEC(T64, ZSTD(1)),
    conversations_mean_within   Int64                         COMMENT 'Of them, those whose mean wait over answered rounds is within the limit' CODEC(T64, ZSTD(1)),
    conversations_strict_within Int64                         COMMENT 'Of them, those whose counted rounds were all answered within the limit' CODEC(T64, ZSTD(1)),
    conversations_unanswered    Int64                         COMMENT 'Of them, those without an answered round' CODEC(T64, ZSTD(1)),
    messages                    Int64                         COMMENT 'Consumer messages sent in assessed time' CODEC(T64, ZSTD(1)),
    messages_within             Int64                         COMMENT 'Of them, those with a manual reply within the limit' CODEC(T64, ZSTD(1)),
    ratings                     Int64                         COMMENT 'Ratings given' CODEC(T64, ZSTD(1)),
    ratings_dissatisfied        Int64                         COMMENT 'Of them, the dissatisfied ones (1 and 2 of 5)' CODEC(T64, ZSTD(1)),
    ratings_sum                 Int64                         COMMENT 'Sum of the scores of the ratings' CODEC(T64, ZSTD(1)),
    takeovers                   Int64                         COMMENT 'Bot takeovers that began in the window, at any hour' CODEC(T64, ZSTD(1)),
    bot_us                      Int64                         COMMENT 'Assessed time of the window during which the bot received, microseconds' CODEC(T64, ZSTD(1)),
    indicator_names             Array(LowCardinality(String)) COMMENT 'Names of the indicators, always the same in the same order' CODEC(ZSTD(1)),
    indicator_values            Array(Nullable(Float64))      COMMENT 'Their values; seconds for *_seconds, a share of 1 for *_rate; NULL: empty denominator' CODEC(ZSTD(1)),
    indicator_samples           Array(Int64)                  COMMENT 'Sizes of their denominators' CODEC(ZSTD(1)),
    indicator_standards         Array(Nullable(Float64))      COMMENT 'Their standards; NULL: reported only' CODEC(ZSTD(1)),
    indicator_comparisons       Array(LowCardinality(String)) COMMENT 'How value and standard must compare: >= or <=' CODEC(ZSTD(1)),
    indicator_verdicts          Array(Enum8('unspecified' = 0, 'reported' = 1, 'not_judged' = 2, 'met' = 3, 'missed' = 4)) COMMENT 'Whether they meet their standards; not_judged: too few samples' CODEC(ZSTD(1)),
    indicator_definitions       Array(LowCardinality(String)) COMMENT 'Definitions that the values follow, where several exist' CODEC(ZSTD(1)),
    policy_version              LowCardinality(String)        COMMENT 'Version of the policy in force at the start of the window',
    log_partition               Int32                         COMMENT 'Partition of chat.events and service.kpis' CODEC(Delta(4), ZSTD(1)),
    log_offset                  Int64                         COMMENT 'Offset on topic service.kpis' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(window_start)
ORDER BY (shop_id, window_kind, window_start)
COMMENT 'Snapshots of the windows of a shop; storage, read service_kpis or service_indicators instead';

CREATE OR REPLACE VIEW feige.service_kpis /* ON CLUSTER */
(
    shop_id                     String                        COMMENT 'Shop that is assessed',
    window_kind                 Enum8('unspecified' = 0, 'day' = 1, 'half_month' = 2) COMMENT 'Day, or half of a month (1st to 15th, 16th to last), of the time zone of the policy',
    window_start                DateTime64(6, 'UTC')          COMMENT 'First instant of the window, UTC, microseconds',
    window_end                  DateTime64(6, 'UTC')          COMMENT 'First instant after the window, UTC, microseconds',
    version                     UInt64                        COMMENT 'Version of the snapshot: twice the offset on chat.events of the newest event that counted, plus 1 once final',
    is_final                    Bool                          COMMENT 'The window no longer changes: its end plus the lateness has passed',
    rounds                      Int64                         COMMENT 'Rounds whose start lies in assessed time',
    rounds_answered             Int64                         COMMENT 'Of the counted rounds, those answered within 24 h',
    rounds_within               Int64                         COMMENT 'Of the counted rounds, those answered within the limit (180 s)',
    wait_sum_us                 Int64                         COMMENT 'Sum of the waits of answered rounds, microseconds',
    first_answered              Int64                         COMMENT 'First rounds of a life that were answered',
    first_wait_sum_us           Int64                         COMMENT 'Sum of the waits of answered first rounds, microseconds',
    conversations               Int64                         COMMENT 'Conversations with at least one counted round',
    conversations_mean_within   Int64                         COMMENT 'Of them, those whose mean wait over answered rounds is within the limit',
    conversations_strict_within Int64                         COMMENT 'Of them, those whose counted rounds were all answered within the limit',
    conversations_unanswered    Int64                         COMMENT 'Of them, those without an answered round',
    messages                    Int64                         COMMENT 'Consumer messages sent in assessed time',
    messages_within             Int64                         COMMENT 'Of them, those with a manual reply within the limit',
    ratings                     Int64                         COMMENT 'Ratings given',
    ratings_dissatisfied        Int64                         COMMENT 'Of them, the dissatisfied ones (1 and 2 of 5)',
    ratings_sum                 Int64                         COMMENT 'Sum of the scores of the ratings',
    takeovers                   Int64                         COMMENT 'Bot takeovers that began in the window, at any hour',
    bot_us                      Int64                         COMMENT 'Assessed time of the window during which the bot received, microseconds',
    indicator_names             Array(LowCardinality(String)) COMMENT 'Names of the indicators, always the same in the same order',
    indicator_values            Array(Nullable(Float64))      COMMENT 'Their values; seconds for *_seconds, a share of 1 for *_rate; NULL: empty denominator',
    indicator_samples           Array(Int64)                  COMMENT 'Sizes of their denominators',
    indicator_standards         Array(Nullable(Float64))      COMMENT 'Their standards; NULL: reported only',
    indicator_comparisons       Array(LowCardinality(String)) COMMENT 'How value and standard must compare: >= or <=',
    indicator_verdicts          Array(Enum8('unspecified' = 0, 'reported' = 1, 'not_judged' = 2, 'met' = 3, 'missed' = 4)) COMMENT 'Whether they meet their standards; not_judged: too few samples',
    indicator_definitions       Array(LowCardinality(String)) COMMENT 'Definitions that the values follow, where several exist',
    policy_version              LowCardinality(String)        COMMENT 'Version of the policy in force at the start of the window',
    log_partition               Int32                         COMMENT 'Partition of chat.events and service.kpis',
    log_offset                  Int64                         COMMENT 'Offset on topic service.kpis'
)
AS SELECT
    shop_id, window_kind, window_start, window_end, version, is_final, rounds, rounds_answered, rounds_within,
    wait_sum_us, first_answered, first_wait_sum_us, conversations, conversations_mean_within,
    conversations_strict_within, conversations_unanswered, messages, messages_within, ratings, ratings_dissatisfied,
    ratings_sum, takeovers, bot_us, indicator_names, indicator_values, indicator_samples, indicator_standards,
    indicator_comparisons, indicator_verdicts, indicator_definitions, policy_version, log_partition, log_offset
FROM feige.service_kpis_data FINAL
COMMENT 'Every window of every shop once, by its newest snapshot';

CREATE OR REPLACE VIEW feige.service_indicators /* ON CLUSTER */
(
    shop_id        String                 COMMENT 'Shop that is assessed',
    window_kind    Enum8('unspecified' = 0, 'day' = 1, 'half_month' = 2) COMMENT 'Day, or half of a month (1st to 15th, 16th to last), of the time zone of the policy',
    window_start   DateTime64(6, 'UTC')   COMMENT 'First instant of the window, UTC, microseconds',
    window_end     DateTime64(6, 'UTC')   COMMENT 'First instant after the window, UTC, microseconds',
    position       UInt32                 COMMENT 'Place of the indicator in its snapshot, from 1',
    name           LowCardinality(String) COMMENT 'Name of the indicator',
    value          Nullable(Float64)      COMMENT 'Seconds for *_seconds, a share of 1 for *_rate; NULL: empty denominator',
    samples        Int64                  COMMENT 'Size of the denominator',
    standard       Nullable(Float64)      COMMENT 'What the value is held against; NULL: reported only',
    comparison     LowCardinality(String) COMMENT 'How value and standard must compare: >= or <=',
    verdict        Enum8('unspecified' = 0, 'reported' = 1, 'not_judged' = 2, 'met' = 3, 'missed' = 4) COMMENT 'Whether it meets the standard; not_judged: too few samples',
    definition     LowCardinality(String) COMMENT 'Definition that the value follows, where several exist',
    version        UInt64                 COMMENT 'Version of the snapshot',
    is_final       Bool                   COMMENT 'The window no longer changes: its end plus the lateness has passed',
    policy_version LowCardinality(String) COMMENT 'Version of the policy in force at the start of the window'
)
AS SELECT
    shop_id, window_kind, window_start, window_end, position, name, value, samples, standard, comparison, verdict, definition,
    version, is_final, policy_version
FROM (SELECT * FROM feige.service_kpis_data FINAL)
ARRAY JOIN
    arrayEnumerate(indicator_names) AS position,
    indicator_names AS name,
    indicator_values AS value,
    indicator_samples AS samples,
    indicator_standards AS standard,
    indicator_comparisons AS comparison,
    indicator_verdicts AS verdict,
    indicator_definitions AS definition
COMMENT 'Every indicator of every window of every shop, one a row, by the newest snapshot';

CREATE TABLE IF NOT EXISTS feige.restrictions_data /* ON CLUSTER */
(
    shop_id                     String                         COMMENT 'Shop that was assessed' CODEC(ZSTD(1)),
    period_start                DateTime64(6, 'UTC')           COMMENT 'First instant of the assessed half-month, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    period_end                  DateTime64(6, 'UTC')           COMMENT 'First instant after it, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    revision                    UInt32                         COMMENT 'Revision of the decision, from 1; a later one replaces the earlier, which stays readable',
    restricted                  Bool                           COMMENT 'A judged indicator missed its standard',
    restrictions                Array(LowCardinality(String))  COMMENT 'What the shop is restricted from; empty when not restricted',
    restricted_from             Nullable(DateTime64(6, 'UTC')) COMMENT 'First instant of the restriction, UTC, microseconds; NULL when not restricted' CODEC(ZSTD(1)),
    restricted_until            Nullable(DateTime64(6, 'UTC')) COMMENT 'First instant after the restriction, UTC, microseconds; NULL when not restricted' CODEC(ZSTD(1)),
    missed                      Array(LowCardinality(String))  COMMENT 'Names of the indicators that missed their standards',
    checkpoint_seconds          Int64                          COMMENT 'When it was issued: seconds after the end of the period' CODEC(T64, ZSTD(1)),
    rounds                      Int64                          COMMENT 'Rounds whose start lies in assessed time' CODEC(T64, ZSTD(1)),
    rounds_answered             Int64                          COMMENT 'Of the counted rounds, those answered within 24 h' CODEC(T64, ZSTD(1)),
    rounds_within               Int64                          COMMENT 'Of the counted rounds, those answered within the limit (180 s)' CODEC(T64, ZSTD(1)),
    wait_sum_us                 Int64                          COMMENT 'Sum of the waits of answered rounds, microseconds' CODEC(T64, ZSTD(1)),
    first_answered              Int64                          COMMENT 'First rounds of a life that were answered' CODEC(T64, ZSTD(1)),
    first_wait_sum_us           Int64                          COMMENT 'Sum of the waits of answered first rounds, microseconds' CODEC(T64, ZSTD(1)),
    conversations               Int64                          COMMENT 'Conversations with at least one counted round' CODEC(T64, ZSTD(1)),
    conversations_mean_within   Int64                          COMMENT 'Of them, those whose mean wait over answered rounds is within the limit' CODEC(T64, ZSTD(1)),
    conversations_strict_within Int64                          COMMENT 'Of them, those whose counted rounds were all answered within the limit' CODEC(T64, ZSTD(1)),
    conversations_unanswered    Int64                          COMMENT 'Of them, those without an answered round' CODEC(T64, ZSTD(1)),
    messages                    Int64                          COMMENT 'Consumer messages sent in assessed time' CODEC(T64, ZSTD(1)),
    messages_within             Int64                          COMMENT 'Of them, those with a manual reply within the limit' CODEC(T64, ZSTD(1)),
    ratings                     Int64                          COMMENT 'Ratings given' CODEC(T64, ZSTD(1)),
    ratings_dissatisfied        Int64                          COMMENT 'Of them, the dissatisfied ones (1 and 2 of 5)' CODEC(T64, ZSTD(1)),
    ratings_sum                 Int64                          COMMENT 'Sum of the scores of the ratings' CODEC(T64, ZSTD(1)),
    indicator_names             Array(LowCardinality(String))  COMMENT 'Names of the indicators, always the same in the same order' CODEC(ZSTD(1)),
    indicator_values            Array(Nullable(Float64))       COMMENT 'Their values; seconds for *_seconds, a share of 1 for *_rate; NULL: empty denominator' CODEC(ZSTD(1)),
    indicator_samples           Array(Int64)                   COMMENT 'Sizes of their denominators' CODEC(ZSTD(1)),
    indicator_standards         Array(Nullable(Float64))       COMMENT 'Their standards; NULL: reported only' CODEC(ZSTD(1)),
    indicator_comparisons       Array(LowCardinality(String))  COMMENT 'How value and standard must compare: >= or <=' CODEC(ZSTD(1)),
    indicator_verdicts          Array(Enum8('unspecified' = 0, 'reported' = 1, 'not_judged' = 2, 'met' = 3, 'missed' = 4)) COMMENT 'Whether they meet their standards; not_judged: too few samples' CODEC(ZSTD(1)),
    indicator_definitions       Array(LowCardinality(String))  COMMENT 'Definitions that the values follow, where several exist' CODEC(ZSTD(1)),
    policy_version              LowCardinality(String)         COMMENT 'Version of the policy in force at the start of the period',
    log_partition               Int32                          COMMENT 'Partition of chat.events and service.restrictions' CODEC(Delta(4), ZSTD(1)),
    source_offset               Int64                          COMMENT 'Offset on chat.events of the newest event of the shop that counted when this was decided' CODEC(Delta(8), ZSTD(1)),
    version                     UInt64                         MATERIALIZED toUInt64(source_offset + 1) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(period_start)
ORDER BY (shop_id, period_start, revision)
COMMENT 'Decisions with their evidence, every revision; storage, read restrictions or decisions instead';

CREATE OR REPLACE VIEW feige.restrictions /* ON CLUSTER */
(
    shop_id                     String                         COMMENT 'Shop that was assessed',
    period_start                DateTime64(6, 'UTC')           COMMENT 'First instant of the assessed half-month, UTC, microseconds',
    period_end                  DateTime64(6, 'UTC')           COMMENT 'First instant after it, UTC, microseconds',
    revision                    UInt32                         COMMENT 'Revision of the decision, from 1; a later one replaces the earlier, which stays readable',
    restricted                  Bool                           COMMENT 'A judged indicator missed its standard',
    restrictions                Array(LowCardinality(String))  COMMENT 'What the shop is restricted from; empty when not restricted',
    restricted_from             Nullable(DateTime64(6, 'UTC')) COMMENT 'First instant of the restriction, UTC, microseconds; NULL when not restricted',
    restricted_until            Nullable(DateTime64(6, 'UTC')) COMMENT 'First instant after the restriction, UTC, microseconds; NULL when not restricted',
    missed                      Array(LowCardinality(String))  COMMENT 'Names of the indicators that missed their standards',
    checkpoint_seconds          Int64                          COMMENT 'When it was issued: seconds after the end of the period',
    rounds                      Int64                          COMMENT 'Rounds whose start lies in assessed time',
    rounds_answered             Int64                          COMMENT 'Of the counted rounds, those answered within 24 h',
    rounds_within               Int64                          COMMENT 'Of the counted rounds, those answered within the limit (180 s)',
    wait_sum_us                 Int64                          COMMENT 'Sum of the waits of answered rounds, microseconds',
    first_answered              Int64                          COMMENT 'First rounds of a life that were answered',
    first_wait_sum_us           Int64                          COMMENT 'Sum of the waits of answered first rounds, microseconds',
    conversations               Int64                          COMMENT 'Conversations with at least one counted round',
    conversations_mean_within   Int64                          COMMENT 'Of them, those whose mean wait over answered rounds is within the limit',
    conversations_strict_within Int64                          COMMENT 'Of them, those whose counted rounds were all answered within the limit',
    conversations_unanswered    Int64                          COMMENT 'Of them, those without an answered round',
    messages                    Int64                          COMMENT 'Consumer messages sent in assessed time',
    messages_within             Int64                          COMMENT 'Of them, those with a manual reply within the limit',
    ratings                     Int64                          COMMENT 'Ratings given',
    ratings_dissatisfied        Int64                          COMMENT 'Of them, the dissatisfied ones (1 and 2 of 5)',
    ratings_sum                 Int64                          COMMENT 'Sum of the scores of the ratings',
    indicator_names             Array(LowCardinality(String))  COMMENT 'Names of the indicators, always the same in the same order',
    indicator_values            Array(Nullable(Float64))       COMMENT 'Their values; seconds for *_seconds, a share of 1 for *_rate; NULL: empty denominator',
    indicator_samples           Array(Int64)                   COMMENT 'Sizes of their denominators',
    indicator_standards         Array(Nullable(Float64))       COMMENT 'Their standards; NULL: reported only',
    indicator_comparisons       Array(LowCardinality(String))  COMMENT 'How value and standard must compare: >= or <=',
    indicator_verdicts          Array(Enum8('unspecified' = 0, 'reported' = 1, 'not_judged' = 2, 'met' = 3, 'missed' = 4)) COMMENT 'Whether they meet their standards; not_judged: too few samples',
    indicator_definitions       Array(LowCardinality(String))  COMMENT 'Definitions that the values follow, where several exist',
    policy_version              LowCardinality(String)         COMMENT 'Version of the policy in force at the start of the period',
    log_partition               Int32                          COMMENT 'Partition of chat.events and service.restrictions',
    source_offset               Int64                          COMMENT 'Offset on chat.events of the newest event of the shop that counted when this was decided'
)
AS SELECT
    shop_id, period_start, period_end, revision, restricted, restrictions, restricted_from, restricted_until,
    missed, checkpoint_seconds, rounds, rounds_answered, rounds_within, wait_sum_us, first_answered,
    first_wait_sum_us, conversations, conversations_mean_within, conversations_strict_within,
    conversations_unanswered, messages, messages_within, ratings, ratings_dissatisfied, ratings_sum,
    indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons,
    indicator_verdicts, indicator_definitions, policy_version, log_partition, source_offset
FROM feige.restrictions_data FINAL
COMMENT 'Every revision of every decision once, with its evidence';

CREATE OR REPLACE VIEW feige.decisions /* ON CLUSTER */
(
    shop_id            String                         COMMENT 'Shop that was assessed',
    period_start       DateTime64(6, 'UTC')           COMMENT 'First instant of the assessed half-month, UTC, microseconds',
    period_end         DateTime64(6, 'UTC')           COMMENT 'First instant after it, UTC, microseconds',
    local_start        DateTime64(6, 'Asia/Shanghai') COMMENT 'Start of the period in the time zone of the policy',
    revision           UInt32                         COMMENT 'Newest revision of the decision',
    restricted         Bool                           COMMENT 'A judged indicator missed its standard',
    restrictions       Array(LowCardinality(String))  COMMENT 'What the shop is restricted from; empty when not restricted',
    restricted_from    Nullable(DateTime64(6, 'UTC')) COMMENT 'First instant of the restriction, UTC, microseconds; NULL when not restricted',
    restricted_until   Nullable(DateTime64(6, 'UTC')) COMMENT 'First instant after the restriction, UTC, microseconds; NULL when not restricted',
    missed             Array(LowCardinality(String))  COMMENT 'Names of the indicators that missed their standards',
    conversations      Int64                          COMMENT 'Conversations with at least one counted round',
    ratings            Int64                          COMMENT 'Ratings given',
    evidence           Map(String, Nullable(Float64)) COMMENT 'Every indicator and its value; NULL: no value',
    standards          Map(String, Nullable(Float64)) COMMENT 'Every indicator and its standard; NULL: reported only',
    checkpoint_seconds Int64                          COMMENT 'When the revision was issued: seconds after the end of the period',
    policy_version     LowCardinality(String)         COMMENT 'Version of the policy in force at the start of the period'
)
AS SELECT
    shop_id,
    period_start,
    newest.1 AS period_end,
    toTimeZone(period_start, 'Asia/Shanghai') AS local_start,
    newest.2 AS revision,
    newest.3 AS restricted,
    newest.4 AS restrictions,
    newest.5 AS restricted_from,
    newest.6 AS restricted_until,
    newest.7 AS missed,
    newest.8 AS conversations,
    newest.9 AS ratings,
    mapFromArrays(newest.10, newest.11) AS evidence,
    mapFromArrays(newest.10, newest.12) AS standards,
    newest.13 AS checkpoint_seconds,
    newest.14 AS policy_version
FROM
(
    SELECT
        shop_id,
        period_start,
        argMax(tuple(
            d.period_end, d.revision, d.restricted, d.restrictions, d.restricted_from, d.restricted_until, d.missed, d.conversations, d.ratings,
            d.indicator_names, d.indicator_values, d.indicator_standards, d.checkpoint_seconds, d.policy_version), d.revision) AS newest
    FROM feige.restrictions_data AS d FINAL
    GROUP BY shop_id, period_start
)
COMMENT 'The newest revision of the decision about every shop and half-month';
