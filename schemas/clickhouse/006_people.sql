-- Views for people. Times in the time zone of the policy stand in columns called local_*.

CREATE OR REPLACE VIEW feige.shop_kpis_now /* ON CLUSTER */
(
    shop_id                    String                         COMMENT 'Shop that is assessed',
    window_kind                Enum8('unspecified' = 0, 'day' = 1, 'half_month' = 2) COMMENT 'Day, or half of a month',
    window_start               DateTime64(6, 'UTC')           COMMENT 'First instant of the newest window of this kind, UTC, microseconds',
    local_start                DateTime64(6, 'Asia/Shanghai') COMMENT 'The same instant in the time zone of the policy',
    is_final                   Bool                           COMMENT 'The window no longer changes',
    conversations              Int64                          COMMENT 'Conversations with at least one counted round',
    rounds                     Int64                          COMMENT 'Rounds whose start lies in assessed time',
    rounds_answered            Int64                          COMMENT 'Of them, those answered within 24 h',
    manual_reply_3min_rate     Nullable(Float64)              COMMENT 'Share of 1, by the definition that the policy selects; NULL: no value',
    avg_response_seconds       Nullable(Float64)              COMMENT 'Mean wait of answered rounds, seconds; NULL: no value',
    p50_response_seconds       Nullable(Float64)              COMMENT 'Median wait of answered rounds, seconds; NULL: no value',
    p90_response_seconds       Nullable(Float64)              COMMENT 'Wait that 90 % of answered rounds do not exceed, seconds; NULL: no value',
    p99_response_seconds       Nullable(Float64)              COMMENT 'Wait that 99 % of answered rounds do not exceed, seconds; NULL: no value',
    avg_first_response_seconds Nullable(Float64)              COMMENT 'Mean wait of answered first rounds, seconds; NULL: no value',
    dissatisfaction_rate       Nullable(Float64)              COMMENT 'Ratings of 1 or 2 among all, share of 1; NULL: no value',
    unanswered_rate            Nullable(Float64)              COMMENT 'Conversations without an answered round among the counted, share of 1; NULL: no value',
    takeovers                  Int64                          COMMENT 'Bot takeovers that began in the window',
    bot_seconds                Float64                        COMMENT 'Assessed time during which the bot received, seconds',
    missed                     Array(String)                  COMMENT 'Judged indicators that miss their standards so far',
    policy_version             LowCardinality(String)         COMMENT 'Version of the policy in force at the start of the window'
)
AS SELECT
    shop_id,
    window_kind,
    k.1 AS window_start,
    toTimeZone(window_start, 'Asia/Shanghai') AS local_start,
    k.2 AS is_final,
    k.3 AS conversations,
    k.4 AS rounds,
    k.5 AS rounds_answered,
    vals[indexOf(names, 'manual_reply_3min_rate')] AS manual_reply_3min_rate,
    vals[indexOf(names, 'avg_response_seconds')] AS avg_response_seconds,
    vals[indexOf(names, 'p50_response_seconds')] AS p50_response_seconds,
    vals[indexOf(names, 'p90_response_seconds')] AS p90_response_seconds,
    vals[indexOf(names, 'p99_response_seconds')] AS p99_response_seconds,
    vals[indexOf(names, 'avg_first_response_seconds')] AS avg_first_response_seconds,
    vals[indexOf(names, 'dissatisfaction_rate')] AS dissatisfaction_rate,
    vals[indexOf(names, 'unanswered_rate')] AS unanswered_rate,
    k.6 AS takeovers,
    k.7 / 1000000 AS bot_seconds,
    arrayFilter((name, verdict) -> verdict = 'missed', names, k.10) AS missed,
    k.11 AS policy_version
FROM
(
    SELECT
        shop_id,
        window_kind,
        argMax(tuple(
            d.window_start, d.is_final, d.conversations, d.rounds, d.rounds_answered, d.takeovers, d.bot_us,
            d.indicator_names, d.indicator_values, d.indicator_verdicts, d.policy_version), d.window_start) AS k,
        k.8 AS names,
        k.9 AS vals
    FROM feige.service_kpis_data AS d FINAL
    GROUP BY shop_id, window_kind
)
COMMENT 'The newest day and half-month of every shop, one row each, with its indicators as columns';

CREATE OR REPLACE VIEW feige.agent_performance /* ON CLUSTER */
(
    shop_id          String            COMMENT 'Shop of the agent',
    agent_id         String            COMMENT 'Agent who sent the replies; empty: rounds that nobody answered yet',
    local_day        Date              COMMENT 'Day in the time zone of the policy in which the rounds began',
    rounds           UInt64            COMMENT 'Rounds that began in assessed time',
    rounds_within    UInt64            COMMENT 'Of them, those answered within the limit (180 s)',
    conversations    UInt64            COMMENT 'Distinct conversations among them',
    avg_wait_seconds Nullable(Float64) COMMENT 'Mean wait of answered rounds, seconds; NULL: none',
    p50_wait_seconds Nullable(Float64) COMMENT 'Median wait of answered rounds, seconds; NULL: none',
    p90_wait_seconds Nullable(Float64) COMMENT 'Wait that 90 % of answered rounds do not exceed, seconds; NULL: none',
    max_wait_seconds Nullable(Float64) COMMENT 'Longest wait of an answered round, seconds; NULL: none'
)
AS SELECT
    shop_id,
    agent_id,
    toDate(started_at, 'Asia/Shanghai') AS local_day,
    count() AS rounds,
    countIf(within) AS rounds_within,
    uniqExact(conversation_id) AS conversations,
    avg(wait_us) / 1000000 AS avg_wait_seconds,
    quantileExact(0.5)(wait_us) / 1000000 AS p50_wait_seconds,
    quantileExact(0.9)(wait_us) / 1000000 AS p90_wait_seconds,
    max(wait_us) / 1000000 AS max_wait_seconds
FROM feige.rounds_data FINAL
WHERE counted AND outcome NOT IN ('moved', 'withdrawn')
GROUP BY shop_id, agent_id, local_day
COMMENT 'Rounds and waits of every agent by day; a round belongs to the agent who sent the reply';

CREATE OR REPLACE VIEW feige.hourly_load /* ON CLUSTER */
(
    shop_id            String                    COMMENT 'Shop',
    hour               DateTime('UTC')           COMMENT 'First instant of the hour, UTC',
    local_hour         DateTime('Asia/Shanghai') COMMENT 'The same instant in the time zone of the policy',
    consumer_messages  UInt64                    COMMENT 'Messages of consumers, automatic ones and those of sanctioned accounts left out',
    agent_messages     UInt64                    COMMENT 'Messages of agents, automatic ones and those of sanctioned accounts left out',
    bot_messages       UInt64                    COMMENT 'Messages of the reception bot',
    automatic_messages UInt64                    COMMENT 'Automatic messages of either side',
    conversations      UInt64                    COMMENT 'Distinct conversations with a message of a consumer',
    consumers          UInt64                    COMMENT 'Distinct consumers who wrote',
    agents             UInt64                    COMMENT 'Distinct agents who wrote'
)
AS SELECT
    shop_id,
    toStartOfHour(toDateTime(time, 'UTC')) AS hour,
    toTimeZone(hour, 'Asia/Shanghai') AS local_hour,
    countIf(actor_role = 'consumer' AND NOT automatic AND NOT sanctioned) AS consumer_messages,
    countIf(actor_role = 'agent' AND NOT automatic AND NOT sanctioned) AS agent_messages,
    countIf(actor_role = 'bot') AS bot_messages,
    countIf(automatic) AS automatic_messages,
    uniqExactIf(conversation_id, actor_role = 'consumer') AS conversations,
    uniqExactIf(actor_id, actor_role = 'consumer') AS consumers,
    uniqExactIf(actor_id, actor_role = 'agent') AS agents
FROM feige.chat_events_data FINAL
WHERE kind = 'message'
GROUP BY shop_id, hour
COMMENT 'Messages of every shop by hour and side';
