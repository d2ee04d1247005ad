-- Numbers, times, and short names are compressed with LZ4, which inserts and merges spend about half the time on, and queries a fraction;
-- ZSTD stays where it halves the size of what is large: ids of events and what people wrote. Rows that are stored already keep their
-- form until they are merged.

ALTER TABLE feige.chat_events_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN actor_id CODEC(LZ4),
    MODIFY COLUMN attachment_bytes CODEC(LZ4),
    MODIFY COLUMN card_kind CODEC(LZ4),
    MODIFY COLUMN card_id CODEC(LZ4),
    MODIFY COLUMN rated_life CODEC(LZ4),
    MODIFY COLUMN consumer_id CODEC(LZ4),
    MODIFY COLUMN from_agent_id CODEC(LZ4),
    MODIFY COLUMN to_agent_id CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN precedence CODEC(Delta(8), LZ4);

ALTER TABLE feige.chat_texts_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN actor_id CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN precedence CODEC(Delta(8), LZ4);

ALTER TABLE feige.chat_attachments_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN size CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN precedence CODEC(Delta(8), LZ4);

ALTER TABLE feige.sign_ins_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN account_id CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN precedence CODEC(Delta(8), LZ4);

ALTER TABLE feige.rounds_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN number CODEC(LZ4),
    MODIFY COLUMN life CODEC(LZ4),
    MODIFY COLUMN number_in_life CODEC(LZ4),
    MODIFY COLUMN started_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN ended_at CODEC(LZ4),
    MODIFY COLUMN wait_us CODEC(LZ4),
    MODIFY COLUMN agent_id CODEC(LZ4),
    MODIFY COLUMN consumer_id CODEC(LZ4),
    MODIFY COLUMN start_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN source_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.conversations_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN life CODEC(LZ4),
    MODIFY COLUMN started_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN ended_at CODEC(LZ4),
    MODIFY COLUMN consumer_id CODEC(LZ4),
    MODIFY COLUMN first_agent_id CODEC(LZ4),
    MODIFY COLUMN first_reply_at CODEC(LZ4),
    MODIFY COLUMN rounds CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN source_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.ratings_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN life CODEC(LZ4),
    MODIFY COLUMN rated_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN consumer_id CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN source_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.takeovers_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN number CODEC(LZ4),
    MODIFY COLUMN started_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN ended_at CODEC(LZ4),
    MODIFY COLUMN ended_by CODEC(LZ4),
    MODIFY COLUMN trigger_conversation_id CODEC(LZ4),
    MODIFY COLUMN trigger_consumer_id CODEC(LZ4),
    MODIFY COLUMN evidence_offsets CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN source_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.service_kpis_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN window_start CODEC(Delta(8), LZ4),
    MODIFY COLUMN window_end CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4),
    MODIFY COLUMN rounds CODEC(T64, LZ4),
    MODIFY COLUMN rounds_answered CODEC(T64, LZ4),
    MODIFY COLUMN rounds_within CODEC(T64, LZ4),
    MODIFY COLUMN wait_sum_us CODEC(T64, LZ4),
    MODIFY COLUMN first_answered CODEC(T64, LZ4),
    MODIFY COLUMN first_wait_sum_us CODEC(T64, LZ4),
    MODIFY COLUMN conversations CODEC(T64, LZ4),
    MODIFY COLUMN conversations_mean_within CODEC(T64, LZ4),
    MODIFY COLUMN conversations_strict_within CODEC(T64, LZ4),
    MODIFY COLUMN conversations_unanswered CODEC(T64, LZ4),
    MODIFY COLUMN messages CODEC(T64, LZ4),
    MODIFY COLUMN messages_within CODEC(T64, LZ4),
    MODIFY COLUMN ratings CODEC(T64, LZ4),
    MODIFY COLUMN ratings_dissatisfied CODEC(T64, LZ4),
    MODIFY COLUMN ratings_sum CODEC(T64, LZ4),
    MODIFY COLUMN takeovers CODEC(T64, LZ4),
    MODIFY COLUMN bot_us CODEC(T64, LZ4),
    MODIFY COLUMN indicator_names CODEC(LZ4),
    MODIFY COLUMN indicator_values CODEC(LZ4),
    MODIFY COLUMN indicator_samples CODEC(LZ4),
    MODIFY COLUMN indicator_standards CODEC(LZ4),
    MODIFY COLUMN indicator_comparisons CODEC(LZ4),
    MODIFY COLUMN indicator_verdicts CODEC(LZ4),
    MODIFY COLUMN indicator_definitions CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4);

ALTER TABLE feige.restrictions_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN period_start CODEC(Delta(8), LZ4),
    MODIFY COLUMN period_end CODEC(Delta(8), LZ4),
    MODIFY COLUMN restricted_from CODEC(LZ4),
    MODIFY COLUMN restricted_until CODEC(LZ4),
    MODIFY COLUMN checkpoint_seconds CODEC(T64, LZ4),
    MODIFY COLUMN rounds CODEC(T64, LZ4),
    MODIFY COLUMN rounds_answered CODEC(T64, LZ4),
    MODIFY COLUMN rounds_within CODEC(T64, LZ4),
    MODIFY COLUMN wait_sum_us CODEC(T64, LZ4),
    MODIFY COLUMN first_answered CODEC(T64, LZ4),
    MODIFY COLUMN first_wait_sum_us CODEC(T64, LZ4),
    MODIFY COLUMN conversations CODEC(T64, LZ4),
    MODIFY COLUMN conversations_mean_within CODEC(T64, LZ4),
    MODIFY COLUMN conversations_strict_within CODEC(T64, LZ4),
    MODIFY COLUMN conversations_unanswered CODEC(T64, LZ4),
    MODIFY COLUMN messages CODEC(T64, LZ4),
    MODIFY COLUMN messages_within CODEC(T64, LZ4),
    MODIFY COLUMN ratings CODEC(T64, LZ4),
    MODIFY COLUMN ratings_dissatisfied CODEC(T64, LZ4),
    MODIFY COLUMN ratings_sum CODEC(T64, LZ4),
    MODIFY COLUMN indicator_names CODEC(LZ4),
    MODIFY COLUMN indicator_values CODEC(LZ4),
    MODIFY COLUMN indicator_samples CODEC(LZ4),
    MODIFY COLUMN indicator_standards CODEC(LZ4),
    MODIFY COLUMN indicator_comparisons CODEC(LZ4),
    MODIFY COLUMN indicator_verdicts CODEC(LZ4),
    MODIFY COLUMN indicator_definitions CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN source_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.dead_letters_data /* ON CLUSTER */
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN record_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN letter_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN resubmitted_at CODEC(LZ4),
    MODIFY COLUMN letter_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.audit_reads_data /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN read_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN reader_id CODEC(LZ4),
    MODIFY COLUMN authorised_by CODEC(LZ4);

ALTER TABLE feige.violation_flags_data /* ON CLUSTER */
    MODIFY COLUMN offender_id CODEC(LZ4),
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN actor_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN confidence CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.violation_evidence_data /* ON CLUSTER */
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN span_from CODEC(LZ4),
    MODIFY COLUMN span_to CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.verdicts_data /* ON CLUSTER */
    MODIFY COLUMN offender_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN reviewer_id CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.appeal_steps_data /* ON CLUSTER */
    MODIFY COLUMN offender_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN account_id CODEC(LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.sanctions_data /* ON CLUSTER */
    MODIFY COLUMN offender_id CODEC(LZ4),
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN actor_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN until CODEC(LZ4),
    MODIFY COLUMN points CODEC(LZ4),
    MODIFY COLUMN restrictions CODEC(LZ4),
    MODIFY COLUMN offence CODEC(LZ4),
    MODIFY COLUMN decided_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN log_partition CODEC(Delta(4), LZ4),
    MODIFY COLUMN log_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.message_index /* ON CLUSTER */
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN agent_id CODEC(LZ4);

ALTER TABLE feige.round_index /* ON CLUSTER */
    MODIFY COLUMN started_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN number CODEC(T64, LZ4),
    MODIFY COLUMN consumer_id CODEC(LZ4),
    MODIFY COLUMN version CODEC(Delta(8), LZ4);

ALTER TABLE feige.reply_index /* ON CLUSTER */
    MODIFY COLUMN source_offset CODEC(Delta(8), LZ4),
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN agent_id CODEC(LZ4),
    MODIFY COLUMN wait_us CODEC(T64, LZ4),
    MODIFY COLUMN started_at CODEC(Delta(8), LZ4),
    MODIFY COLUMN conversation_id CODEC(LZ4),
    MODIFY COLUMN consumer_id CODEC(LZ4);

ALTER TABLE feige.sign_in_index /* ON CLUSTER */
    MODIFY COLUMN shop_id CODEC(LZ4),
    MODIFY COLUMN account_id CODEC(LZ4),
    MODIFY COLUMN time CODEC(Delta(8), LZ4),
    MODIFY COLUMN client CODEC(LZ4),
    MODIFY COLUMN version CODEC(LZ4);
