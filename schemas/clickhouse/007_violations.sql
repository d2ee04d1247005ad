-- What was flagged, judged, appealed, and punished, from topics violations.cases and penalties.sanctions.

CREATE TABLE IF NOT EXISTS feige.violation_flags_data /* ON CLUSTER */
(
    offender_kind    Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2) COMMENT 'Who answers for it: a consumer, or a shop for all its agents',
    offender_id      String COMMENT 'Account of the consumer, or the shop' CODEC(ZSTD(1)),
    flag_id          String COMMENT 'Id of the flag, derived from event and finding' CODEC(ZSTD(1)),
    shop_id          String COMMENT 'Shop in whose conversation it happened' CODEC(ZSTD(1)),
    conversation_id  String COMMENT 'Conversation; empty for what concerns a shop or an account as a whole' CODEC(ZSTD(1)),
    event_id         String COMMENT 'Event that was flagged, as in chat_events' CODEC(ZSTD(1)),
    actor_id         String COMMENT 'Account that acted: the consumer, or the agent' CODEC(ZSTD(1)),
    time             DateTime64(6, 'UTC') COMMENT 'Time of the event, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    category         Enum8('unspecified' = 0, 'third_party_info' = 1, 'abuse' = 2, 'political' = 3, 'obscene' = 4, 'spam' = 5, 'fraud' = 6, 'malicious_block' = 7, 'malicious_claim' = 8, 'misuse' = 9, 'account_takeover' = 10) COMMENT 'Category of the violation (rules 2.2 to 2.10)',
    sub_kind         LowCardinality(String) COMMENT 'What it is within the category, such as wechat, phone, qr',
    severity         Enum8('unspecified' = 0, 'low' = 1, 'medium' = 2, 'high' = 3) COMMENT 'How grave it is',
    confidence       Float64 COMMENT 'How sure the detector is, 0 to 1' CODEC(ZSTD(1)),
    auto_confirmed   Bool COMMENT 'Confirmed at once: the confidence reached the threshold of the category',
    detector         LowCardinality(String) COMMENT 'Detector that found it',
    detector_version LowCardinality(String) COMMENT 'Version of the detector and its word packs',
    policy_version   LowCardinality(String) COMMENT 'Version of the policy in force',
    log_partition    Int32 COMMENT 'Partition of topic violations.cases' CODEC(Delta(4), ZSTD(1)),
    log_offset       Int64 COMMENT 'Offset on topic violations.cases' CODEC(Delta(8), ZSTD(1)),
    version          UInt64 MATERIALIZED 18446744073709551615 - toUInt64(log_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (offender_kind, offender_id, flag_id)
COMMENT 'Every suspected violation once, without the words; storage, read violation_flags instead';

CREATE OR REPLACE VIEW feige.violation_flags /* ON CLUSTER */
(
    offender_kind    Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2) COMMENT 'Who answers for it: a consumer, or a shop for all its agents',
    offender_id      String COMMENT 'Account of the consumer, or the shop',
    flag_id          String COMMENT 'Id of the flag, derived from event and finding',
    shop_id          String COMMENT 'Shop in whose conversation it happened',
    conversation_id  String COMMENT 'Conversation; empty for what concerns a shop or an account as a whole',
    event_id         String COMMENT 'Event that was flagged, as in chat_events',
    actor_id         String COMMENT 'Account that acted: the consumer, or the agent',
    time             DateTime64(6, 'UTC') COMMENT 'Time of the event, UTC, microseconds',
    category         Enum8('unspecified' = 0, 'third_party_info' = 1, 'abuse' = 2, 'political' = 3, 'obscene' = 4, 'spam' = 5, 'fraud' = 6, 'malicious_block' = 7, 'malicious_claim' = 8, 'misuse' = 9, 'account_takeover' = 10) COMMENT 'Category of the violation (rules 2.2 to 2.10)',
    sub_kind         LowCardinality(String) COMMENT 'What it is within the category, such as wechat, phone, qr',
    severity         Enum8('unspecified' = 0, 'low' = 1, 'medium' = 2, 'high' = 3) COMMENT 'How grave it is',
    confidence       Float64 COMMENT 'How sure the detector is, 0 to 1',
    auto_confirmed   Bool COMMENT 'Confirmed at once: the confidence reached the threshold of the category',
    detector         LowCardinality(String) COMMENT 'Detector that found it',
    detector_version LowCardinality(String) COMMENT 'Version of the detector and its word packs',
    policy_version   LowCardinality(String) COMMENT 'Version of the policy in force',
    log_partition    Int32 COMMENT 'Partition of topic violations.cases',
    log_offset       Int64 COMMENT 'Offset on topic violations.cases'
)
AS SELECT
    offender_kind, offender_id, flag_id, shop_id, conversation_id, event_id, actor_id, time, category, sub_kind, severity, confidence, auto_confirmed, detector, detector_version, policy_version, log_partition, log_offset
FROM feige.violation_flags_data FINAL
COMMENT 'Every suspected violation once, without the words';

CREATE TABLE IF NOT EXISTS feige.violation_evidence_data /* ON CLUSTER */
(
    flag_id       String COMMENT 'Id of the flag, as in violation_flags' CODEC(ZSTD(1)),
    time          DateTime64(6, 'UTC') COMMENT 'Time of the event, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    span_from     Int32 COMMENT 'First rune of the finding in the text of the message, from 0' CODEC(ZSTD(1)),
    span_to       Int32 COMMENT 'One past its last rune; 0 with span_from 0: the finding is not in a text' CODEC(ZSTD(1)),
    evidence      String COMMENT 'What the detector saw after normalising; confidential as texts are (rules 2.1)' CODEC(ZSTD(3)),
    log_partition Int32 COMMENT 'Partition of topic violations.cases' CODEC(Delta(4), ZSTD(1)),
    log_offset    Int64 COMMENT 'Offset on topic violations.cases' CODEC(Delta(8), ZSTD(1)),
    version       UInt64 MATERIALIZED 18446744073709551615 - toUInt64(log_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (flag_id)
COMMENT 'The words of every flag; confidential (rules 2.1); storage, read violation_evidence instead';

CREATE OR REPLACE VIEW feige.violation_evidence /* ON CLUSTER */
(
    flag_id       String COMMENT 'Id of the flag, as in violation_flags',
    time          DateTime64(6, 'UTC') COMMENT 'Time of the event, UTC, microseconds',
    span_from     Int32 COMMENT 'First rune of the finding in the text of the message, from 0',
    span_to       Int32 COMMENT 'One past its last rune; 0 with span_from 0: the finding is not in a text',
    evidence      String COMMENT 'What the detector saw after normalising; confidential as texts are (rules 2.1)',
    log_partition Int32 COMMENT 'Partition of topic violations.cases',
    log_offset    Int64 COMMENT 'Offset on topic violations.cases'
)
AS SELECT
    flag_id, time, span_from, span_to, evidence, log_partition, log_offset
FROM feige.violation_evidence_data FINAL
COMMENT 'The words of every flag; confidential (rules 2.1)';

CREATE TABLE IF NOT EXISTS feige.verdicts_data /* ON CLUSTER */
(
    offender_kind Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2) COMMENT 'Who answers for it: a consumer, or a shop for all its agents',
    offender_id   String COMMENT 'Account of the consumer, or the shop' CODEC(ZSTD(1)),
    flag_id       String COMMENT 'Flag that was judged' CODEC(ZSTD(1)),
    verdict_id    String COMMENT 'Id of the verdict' CODEC(ZSTD(1)),
    time          DateTime64(6, 'UTC') COMMENT 'When it was given, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    ruling        Enum8('unspecified' = 0, 'confirmed' = 1, 'dismissed' = 2) COMMENT 'What the reviewer decided',
    category      Enum8('unspecified' = 0, 'third_party_info' = 1, 'abuse' = 2, 'political' = 3, 'obscene' = 4, 'spam' = 5, 'fraud' = 6, 'malicious_block' = 7, 'malicious_claim' = 8, 'misuse' = 9, 'account_takeover' = 10) COMMENT 'Category that the reviewer set; unspecified: as flagged',
    reviewer_id   String COMMENT 'Account of the reviewer' CODEC(ZSTD(1)),
    note          String COMMENT 'Reason, for people' CODEC(ZSTD(1)),
    log_partition Int32 COMMENT 'Partition of topic violations.cases' CODEC(Delta(4), ZSTD(1)),
    log_offset    Int64 COMMENT 'Offset on topic violations.cases' CODEC(Delta(8), ZSTD(1)),
    version       UInt64 MATERIALIZED 18446744073709551615 - toUInt64(log_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (flag_id, verdict_id)
COMMENT 'Every word of a reviewer on a flag once; storage, read verdicts instead';

CREATE OR REPLACE VIEW feige.verdicts /* ON CLUSTER */
(
    offender_kind Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2) COMMENT 'Who answers for it: a consumer, or a shop for all its agents',
    offender_id   String COMMENT 'Account of the consumer, or the shop',
    flag_id       String COMMENT 'Flag that was judged',
    verdict_id    String COMMENT 'Id of the verdict',
    time          DateTime64(6, 'UTC') COMMENT 'When it was given, UTC, microseconds',
    ruling        Enum8('unspecified' = 0, 'confirmed' = 1, 'dismissed' = 2) COMMENT 'What the reviewer decided',
    category      Enum8('unspecified' = 0, 'third_party_info' = 1, 'abuse' = 2, 'political' = 3, 'obscene' = 4, 'spam' = 5, 'fraud' = 6, 'malicious_block' = 7, 'malicious_claim' = 8, 'misuse' = 9, 'account_takeover' = 10) COMMENT 'Category that the reviewer set; unspecified: as flagged',
    reviewer_id   String COMMENT 'Account of the reviewer',
    note          String COMMENT 'Reason, for people',
    log_partition Int32 COMMENT 'Partition of topic violations.cases',
    log_offset    Int64 COMMENT 'Offset on topic violations.cases'
)
AS SELECT
    offender_kind, offender_id, flag_id, verdict_id, time, ruling, category, reviewer_id, note, log_partition, log_offset
FROM feige.verdicts_data FINAL
COMMENT 'Every word of a reviewer on a flag once';

CREATE TABLE IF NOT EXISTS feige.appeal_steps_data /* ON CLUSTER */
(
    offender_kind Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2) COMMENT 'Who answers for it: a consumer, or a shop for all its agents',
    offender_id   String COMMENT 'Account of the consumer, or the shop' CODEC(ZSTD(1)),
    flag_id       String COMMENT 'Flag that the appeal is about' CODEC(ZSTD(1)),
    appeal_id     String COMMENT 'Id of the appeal' CODEC(ZSTD(1)),
    step          Enum8('filed' = 1, 'decided' = 2) COMMENT 'Whether the row is the appeal or the answer',
    time          DateTime64(6, 'UTC') COMMENT 'When it was filed or decided, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    granted       Bool COMMENT 'The appeal was granted; false on filed rows',
    account_id    String COMMENT 'Reviewer who decided; empty on filed rows' CODEC(ZSTD(1)),
    note          String COMMENT 'Reason, for people; confidential as texts are' CODEC(ZSTD(1)),
    log_partition Int32 COMMENT 'Partition of topic violations.cases' CODEC(Delta(4), ZSTD(1)),
    log_offset    Int64 COMMENT 'Offset on topic violations.cases' CODEC(Delta(8), ZSTD(1)),
    version       UInt64 MATERIALIZED 18446744073709551615 - toUInt64(log_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (flag_id, appeal_id, step)
COMMENT 'Appeals and the answers to them, a row a step; storage, read appeal_steps instead';

CREATE OR REPLACE VIEW feige.appeal_steps /* ON CLUSTER */
(
    offender_kind Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2) COMMENT 'Who answers for it: a consumer, or a shop for all its agents',
    offender_id   String COMMENT 'Account of the consumer, or the shop',
    flag_id       String COMMENT 'Flag that the appeal is about',
    appeal_id     String COMMENT 'Id of the appeal',
    step          Enum8('filed' = 1, 'decided' = 2) COMMENT 'Whether the row is the appeal or the answer',
    time          DateTime64(6, 'UTC') COMMENT 'When it was filed or decided, UTC, microseconds',
    granted       Bool COMMENT 'The appeal was granted; false on filed rows',
    account_id    String COMMENT 'Reviewer who decided; empty on filed rows',
    note          String COMMENT 'Reason, for people; confidential as texts are',
    log_partition Int32 COMMENT 'Partition of topic violations.cases',
    log_offset    Int64 COMMENT 'Offset on topic violations.cases'
)
AS SELECT
    offender_kind, offender_id, flag_id, appeal_id, step, time, granted, account_id, note, log_partition, log_offset
FROM feige.appeal_steps_data FINAL
COMMENT 'Appeals and the answers to them, a row a step';

CREATE TABLE IF NOT EXISTS feige.sanctions_data /* ON CLUSTER */
(
    offender_kind   Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2) COMMENT 'Who answers for it: a consumer, or a shop for all its agents',
    offender_id     String COMMENT 'Account of the consumer, or the shop' CODEC(ZSTD(1)),
    sanction_id     String COMMENT 'Id of the sanction, derived from event and kind' CODEC(ZSTD(1)),
    kind            Enum8('unspecified' = 0, 'shield' = 1, 'mute' = 2, 'ban' = 3, 'points' = 4, 'milestone' = 5, 'order_flag' = 6) COMMENT 'What it does',
    flag_id         String COMMENT 'Flag that it rests on' CODEC(ZSTD(1)),
    category        Enum8('unspecified' = 0, 'third_party_info' = 1, 'abuse' = 2, 'political' = 3, 'obscene' = 4, 'spam' = 5, 'fraud' = 6, 'malicious_block' = 7, 'malicious_claim' = 8, 'misuse' = 9, 'account_takeover' = 10) COMMENT 'Category of that violation',
    shop_id         String COMMENT 'Shop in whose conversation it happened' CODEC(ZSTD(1)),
    conversation_id String COMMENT 'Conversation' CODEC(ZSTD(1)),
    event_id        String COMMENT 'Message, for shield and order_flag' CODEC(ZSTD(1)),
    actor_id        String COMMENT 'Account that acted' CODEC(ZSTD(1)),
    time            DateTime64(6, 'UTC') COMMENT 'From when it is in force, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    until           Nullable(DateTime64(6, 'UTC')) COMMENT 'Until when, UTC, microseconds; NULL: without end' CODEC(ZSTD(1)),
    points          Int32 COMMENT 'Violation points that it adds (points) or that were reached (milestone)' CODEC(ZSTD(1)),
    restrictions    Array(LowCardinality(String)) COMMENT 'What a milestone restricts' CODEC(ZSTD(1)),
    offence         Int32 COMMENT 'Which offence of the offender it is, from 1' CODEC(ZSTD(1)),
    reversed        Bool COMMENT 'Taken back: by a won appeal, a verdict, or because what it rested on was',
    policy_version  LowCardinality(String) COMMENT 'Version of the policy in force',
    decided_at      DateTime64(6, 'UTC') COMMENT 'Time of the step that caused this state of it, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    log_partition   Int32 COMMENT 'Partition of topic penalties.sanctions' CODEC(Delta(4), ZSTD(1)),
    log_offset      Int64 COMMENT 'Offset on topic violations.cases' CODEC(Delta(8), ZSTD(1)),
    version         UInt64 MATERIALIZED toUInt64(log_offset) COMMENT 'Version of the row' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(decided_at)
ORDER BY (offender_kind, offender_id, sanction_id)
COMMENT 'Every sanction once, as it stands; log_offset is that of its case; storage, read sanctions instead';

CREATE OR REPLACE VIEW feige.sanctions /* ON CLUSTER */
(
    offender_kind   Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2) COMMENT 'Who answers for it: a consumer, or a shop for all its agents',
    offender_id     String COMMENT 'Account of the consumer, or the shop',
    sanction_id     String COMMENT 'Id of the sanction, derived from event and kind',
    kind            Enum8('unspecified' = 0, 'shield' = 1, 'mute' = 2, 'ban' = 3, 'points' = 4, 'milestone' = 5, 'order_flag' = 6) COMMENT 'What it does',
    flag_id         String COMMENT 'Flag that it rests on',
    category        Enum8('unspecified' = 0, 'third_party_info' = 1, 'abuse' = 2, 'political' = 3, 'obscene' = 4, 'spam' = 5, 'fraud' = 6, 'malicious_block' = 7, 'malicious_claim' = 8, 'misuse' = 9, 'account_takeover' = 10) COMMENT 'Category of that violation',
    shop_id         String COMMENT 'Shop in whose conversation it happened',
    conversation_id String COMMENT 'Conversation',
    event_id        String COMMENT 'Message, for shield and order_flag',
    actor_id        String COMMENT 'Account that acted',
    time            DateTime64(6, 'UTC') COMMENT 'From when it is in force, UTC, microseconds',
    until           Nullable(DateTime64(6, 'UTC')) COMMENT 'Until when, UTC, microseconds; NULL: without end',
    points          Int32 COMMENT 'Violation points that it adds (points) or that were reached (milestone)',
    restrictions    Array(LowCardinality(String)) COMMENT 'What a milestone restricts',
    offence         Int32 COMMENT 'Which offence of the offender it is, from 1',
    reversed        Bool COMMENT 'Taken back: by a won appeal, a verdict, or because what it rested on was',
    policy_version  LowCardinality(String) COMMENT 'Version of the policy in force',
    decided_at      DateTime64(6, 'UTC') COMMENT 'Time of the step that caused this state of it, UTC, microseconds',
    log_partition   Int32 COMMENT 'Partition of topic penalties.sanctions',
    log_offset      Int64 COMMENT 'Offset on topic violations.cases'
)
AS SELECT
    offender_kind, offender_id, sanction_id, kind, flag_id, category, shop_id, conversation_id, event_id, actor_id, time, until, points, restrictions, offence, reversed, policy_version, decided_at, log_partition, log_offset
FROM feige.sanctions_data FINAL
COMMENT 'Every sanction once, as it stands; log_offset is that of its case';
