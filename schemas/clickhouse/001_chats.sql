-- What happened in the chats, straight from topic chat.events. The sorting key of a table is the identity of
-- its rows, so that a record that is read or published twice leaves one row; of repeats the first in
-- the log stays. Text stands in tables of its own, so that it can be granted separately.

CREATE TABLE IF NOT EXISTS feige.chat_events_data /* ON CLUSTER */
(
    shop_id            String               COMMENT 'Shop whose conversation it is' CODEC(ZSTD(1)),
    conversation_id    String               COMMENT 'Conversation within the shop; empty on events of the shop as a whole' CODEC(ZSTD(1)),
    event_id           String               COMMENT 'Unique id of the event, a UUID in text form' CODEC(ZSTD(1)),
    time               DateTime64(6, 'UTC') COMMENT 'When it happened by the clock of the relay or the recording, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    kind               Enum8('message' = 10, 'conversation_opened' = 11, 'conversation_closed' = 12, 'conversation_transferred' = 13, 'conversation_read' = 14, 'conversation_rated' = 15, 'consumer_blocked' = 16, 'consumer_unblocked' = 17, 'agent_signed_in' = 18, 'agent_signed_out' = 19, 'client_refused' = 20, 'reception_resumed' = 21, 'message_shielded' = 22) COMMENT 'What happened',
    actor_role         Enum8('unspecified' = 0, 'consumer' = 1, 'agent' = 2, 'bot' = 3, 'system' = 4) COMMENT 'On whose behalf the actor acts',
    actor_id           String               COMMENT 'Account of the consumer, agent, or bot; may be empty for the system' CODEC(ZSTD(1)),
    automatic          Bool                 COMMENT 'Auto-reply, greeting macro, or the like: never a reply and never unreplied (rules 2.1)',
    sanctioned         Bool                 COMMENT 'The account was muted or banned: left out of reception and assessment',
    message_kind       Enum8('none' = 0, 'text' = 1, 'emoji' = 2, 'picture' = 3, 'card' = 4, 'file' = 5, 'video' = 6, 'audio' = 7) COMMENT 'What a message mainly consists of; none on other events',
    text_bytes         UInt32               COMMENT 'Length of the message text in UTF-8 bytes',
    text_runes         UInt32               COMMENT 'Length of the message text in Unicode code points',
    attachments        UInt16               COMMENT 'Number of attachments of the message',
    attachment_bytes   UInt64               COMMENT 'Size of all attachments together, bytes' CODEC(ZSTD(1)),
    card_kind          String               COMMENT 'Kind of the card in the message: product, order, coupon, …; empty without one' CODEC(ZSTD(1)),
    card_id            String               COMMENT 'Id of what the card shows' CODEC(ZSTD(1)),
    shielded           Bool                 COMMENT 'The message was shielded before it was published: left out of reception and assessment',
    client_message_id  String               COMMENT 'Id that the sending client gave the message' CODEC(ZSTD(1)),
    score              UInt8                COMMENT 'Satisfaction on conversation_rated, 1 to 5; 0 on other events',
    rated_life         Int64                COMMENT 'Number of the life that conversation_rated names, from 1; 0 means the newest' CODEC(ZSTD(1)),
    consumer_id        String               COMMENT 'Consumer whom consumer_blocked or consumer_unblocked is about' CODEC(ZSTD(1)),
    from_agent_id      String               COMMENT 'Agent who hands over, on conversation_transferred' CODEC(ZSTD(1)),
    to_agent_id        String               COMMENT 'Agent who takes over, on conversation_transferred' CODEC(ZSTD(1)),
    refers_to_event_id String               COMMENT 'Event that conversation_read has seen last, or that message_shielded withdraws' CODEC(ZSTD(1)),
    flag_id            String               COMMENT 'Violation that led to message_shielded' CODEC(ZSTD(1)),
    session_id         String               COMMENT 'Session that agent_signed_in begins or agent_signed_out ends' CODEC(ZSTD(1)),
    reason             String               COMMENT 'Reason of a closing, block, or refusal, for people' CODEC(ZSTD(1)),
    log_partition      Int32                COMMENT 'Partition of topic chat.events' CODEC(Delta(4), ZSTD(1)),
    log_offset         Int64                COMMENT 'Offset on topic chat.events' CODEC(Delta(8), ZSTD(1)),
    precedence         UInt64                 MATERIALIZED 18446744073709551615 - toUInt64(log_offset) COMMENT 'Version of the row: the first occurrence in the log wins' CODEC(Delta(8), ZSTD(1)),
    INDEX time_range time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(time)
ORDER BY (shop_id, event_id)
COMMENT 'Every chat event without its text; storage, read chat_events instead';

CREATE OR REPLACE VIEW feige.chat_events /* ON CLUSTER */
(
    shop_id            String               COMMENT 'Shop whose conversation it is',
    conversation_id    String               COMMENT 'Conversation within the shop; empty on events of the shop as a whole',
    event_id           String               COMMENT 'Unique id of the event, a UUID in text form',
    time               DateTime64(6, 'UTC') COMMENT 'When it happened by the clock of the relay or the recording, UTC, microseconds',
    kind               Enum8('message' = 10, 'conversation_opened' = 11, 'conversation_closed' = 12, 'conversation_transferred' = 13, 'conversation_read' = 14, 'conversation_rated' = 15, 'consumer_blocked' = 16, 'consumer_unblocked' = 17, 'agent_signed_in' = 18, 'agent_signed_out' = 19, 'client_refused' = 20, 'reception_resumed' = 21, 'message_shielded' = 22) COMMENT 'What happened',
    actor_role         Enum8('unspecified' = 0, 'consumer' = 1, 'agent' = 2, 'bot' = 3, 'system' = 4) COMMENT 'On whose behalf the actor acts',
    actor_id           String               COMMENT 'Account of the consumer, agent, or bot; may be empty for the system',
    automatic          Bool                 COMMENT 'Auto-reply, greeting macro, or the like: never a reply and never unreplied (rules 2.1)',
    sanctioned         Bool                 COMMENT 'The account was muted or banned: left out of reception and assessment',
    message_kind       Enum8('none' = 0, 'text' = 1, 'emoji' = 2, 'picture' = 3, 'card' = 4, 'file' = 5, 'video' = 6, 'audio' = 7) COMMENT 'What a message mainly consists of; none on other events',
    text_bytes         UInt32               COMMENT 'Length of the message text in UTF-8 bytes',
    text_runes         UInt32               COMMENT 'Length of the message text in Unicode code points',
    attachments        UInt16               COMMENT 'Number of attachments of the message',
    attachment_bytes   UInt64               COMMENT 'Size of all attachments together, bytes',
    card_kind          String               COMMENT 'Kind of the card in the message: product, order, coupon, …; empty without one',
    card_id            String               COMMENT 'Id of what the card shows',
    shielded           Bool                 COMMENT 'The message was shielded before it was published: left out of reception and assessment',
    client_message_id  String               COMMENT 'Id that the sending client gave the message',
    score              UInt8                COMMENT 'Satisfaction on conversation_rated, 1 to 5; 0 on other events',
    rated_life         Int64                COMMENT 'Number of the life that conversation_rated names, from 1; 0 means the newest',
    consumer_id        String               COMMENT 'Consumer whom consumer_blocked or consumer_unblocked is about',
    from_agent_id      String               COMMENT 'Agent who hands over, on conversation_transferred',
    to_agent_id        String               COMMENT 'Agent who takes over, on conversation_transferred',
    refers_to_event_id String               COMMENT 'Event that conversation_read has seen last, or that message_shielded withdraws',
    flag_id            String               COMMENT 'Violation that led to message_shielded',
    session_id         String               COMMENT 'Session that agent_signed_in begins or agent_signed_out ends',
    reason             String               COMMENT 'Reason of a closing, block, or refusal, for people',
    log_partition      Int32                COMMENT 'Partition of topic chat.events',
    log_offset         Int64                COMMENT 'Offset on topic chat.events'
)
AS SELECT
    shop_id, conversation_id, event_id, time, kind, actor_role, actor_id, automatic, sanctioned, message_kind,
    text_bytes, text_runes, attachments, attachment_bytes, card_kind, card_id, shielded, client_message_id, score,
    rated_life, consumer_id, from_agent_id, to_agent_id, refers_to_event_id, flag_id, session_id, reason,
    log_partition, log_offset
FROM feige.chat_events_data FINAL
COMMENT 'Every chat event once, without its text';

CREATE TABLE IF NOT EXISTS feige.chat_texts_data /* ON CLUSTER */
(
    shop_id         String               COMMENT 'Shop whose conversation it is' CODEC(ZSTD(1)),
    conversation_id String               COMMENT 'Conversation within the shop' CODEC(ZSTD(1)),
    event_id        String               COMMENT 'Id of the message, as in chat_events' CODEC(ZSTD(1)),
    time            DateTime64(6, 'UTC') COMMENT 'When the message was sent, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    actor_role      Enum8('unspecified' = 0, 'consumer' = 1, 'agent' = 2, 'bot' = 3, 'system' = 4) COMMENT 'On whose behalf the sender acts',
    actor_id        String               COMMENT 'Account of the sender' CODEC(ZSTD(1)),
    text            String               COMMENT 'Text of the message, UTF-8' CODEC(ZSTD(3)),
    card_title      String               COMMENT 'Title of the card in the message; empty without one' CODEC(ZSTD(3)),
    log_partition   Int32                COMMENT 'Partition of topic chat.events' CODEC(Delta(4), ZSTD(1)),
    log_offset      Int64                COMMENT 'Offset on topic chat.events' CODEC(Delta(8), ZSTD(1)),
    precedence      UInt64               MATERIALIZED 18446744073709551615 - toUInt64(log_offset) COMMENT 'Version of the row: the first occurrence in the log wins' CODEC(Delta(8), ZSTD(1)),
    INDEX time_range time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(time)
ORDER BY (shop_id, event_id)
COMMENT 'Texts of messages, confidential by rules 2.1; storage, read chat_texts instead';

CREATE OR REPLACE VIEW feige.chat_texts /* ON CLUSTER */
(
    shop_id         String               COMMENT 'Shop whose conversation it is',
    conversation_id String               COMMENT 'Conversation within the shop',
    event_id        String               COMMENT 'Id of the message, as in chat_events',
    time            DateTime64(6, 'UTC') COMMENT 'When the message was sent, UTC, microseconds',
    actor_role      Enum8('unspecified' = 0, 'consumer' = 1, 'agent' = 2, 'bot' = 3, 'system' = 4) COMMENT 'On whose behalf the sender acts',
    actor_id        String               COMMENT 'Account of the sender',
    text            String               COMMENT 'Text of the message, UTF-8',
    card_title      String               COMMENT 'Title of the card in the message; empty without one',
    log_partition   Int32                COMMENT 'Partition of topic chat.events',
    log_offset      Int64                COMMENT 'Offset on topic chat.events'
)
AS SELECT
    shop_id, conversation_id, event_id, time, actor_role, actor_id, text, card_title, log_partition, log_offset
FROM feige.chat_texts_data FINAL
COMMENT 'Text of every message once; confidential by rules 2.1';

CREATE TABLE IF NOT EXISTS feige.chat_attachments_data /* ON CLUSTER */
(
    shop_id         String                 COMMENT 'Shop whose conversation it is' CODEC(ZSTD(1)),
    conversation_id String                 COMMENT 'Conversation within the shop' CODEC(ZSTD(1)),
    event_id        String                 COMMENT 'Id of the message, as in chat_events' CODEC(ZSTD(1)),
    position        UInt16                 COMMENT 'Place of the attachment in the message, from 1',
    time            DateTime64(6, 'UTC')   COMMENT 'When the message was sent, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    attachment_id   String                 COMMENT 'Id of the stored file in the blob store' CODEC(ZSTD(1)),
    mime_type       LowCardinality(String) COMMENT 'Type of the file as sniffed from its bytes, MIME',
    size            Int64                  COMMENT 'Size of the file, bytes' CODEC(ZSTD(1)),
    sha256          String                 COMMENT 'SHA-256 of the file, hexadecimal' CODEC(ZSTD(1)),
    file_name       String                 COMMENT 'Name that the sender gave the file' CODEC(ZSTD(1)),
    qr_payloads     Array(String)          COMMENT 'Contents of the QR codes found in a picture' CODEC(ZSTD(1)),
    log_partition   Int32                  COMMENT 'Partition of topic chat.events' CODEC(Delta(4), ZSTD(1)),
    log_offset      Int64                  COMMENT 'Offset on topic chat.events' CODEC(Delta(8), ZSTD(1)),
    precedence      UInt64                 MATERIALIZED 18446744073709551615 - toUInt64(log_offset) COMMENT 'Version of the row: the first occurrence in the log wins' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(time)
ORDER BY (shop_id, event_id, position)
COMMENT 'Files of messages, confidential by rules 2.1; storage, read chat_attachments instead';

CREATE OR REPLACE VIEW feige.chat_attachments /* ON CLUSTER */
(
    shop_id         String                 COMMENT 'Shop whose conversation it is',
    conversation_id String                 COMMENT 'Conversation within the shop',
    event_id        String                 COMMENT 'Id of the message, as in chat_events',
    position        UInt16                 COMMENT 'Place of the attachment in the message, from 1',
    time            DateTime64(6, 'UTC')   COMMENT 'When the message was sent, UTC, microseconds',
    attachment_id   String                 COMMENT 'Id of the stored file in the blob store',
    mime_type       LowCardinality(String) COMMENT 'Type of the file as sniffed from its bytes, MIME',
    size            Int64                  COMMENT 'Size of the file, bytes',
    sha256          String                 COMMENT 'SHA-256 of the file, hexadecimal',
    file_name       String                 COMMENT 'Name that the sender gave the file',
    qr_payloads     Array(String)          COMMENT 'Contents of the QR codes found in a picture',
    log_partition   Int32                  COMMENT 'Partition of topic chat.events',
    log_offset      Int64                  COMMENT 'Offset on topic chat.events'
)
AS SELECT
    shop_id, conversation_id, event_id, position, time, attachment_id, mime_type, size, sha256, file_name,
    qr_payloads, log_partition, log_offset
FROM feige.chat_attachments_data FINAL
COMMENT 'Every file of every message once; confidential by rules 2.1';

CREATE TABLE IF NOT EXISTS feige.sign_ins_data /* ON CLUSTER */
(
    shop_id        String                 COMMENT 'Shop of the account' CODEC(ZSTD(1)),
    event_id       String                 COMMENT 'Id of the event, as in chat_events' CODEC(ZSTD(1)),
    time           DateTime64(6, 'UTC')   COMMENT 'When it happened, UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    kind           Enum8('signed_in' = 18, 'signed_out' = 19, 'refused' = 20) COMMENT 'Sign-in, sign-out, or a client application refused (rules 2.2 and 2.10)',
    account_role   Enum8('unspecified' = 0, 'consumer' = 1, 'agent' = 2, 'bot' = 3, 'system' = 4) COMMENT 'Role of the account',
    account_id     String                 COMMENT 'Account that signed in or out, or whose client was refused' CODEC(ZSTD(1)),
    session_id     String                 COMMENT 'Session that begins or ends' CODEC(ZSTD(1)),
    client         LowCardinality(String) COMMENT 'Client application',
    client_version LowCardinality(String) COMMENT 'Version of the client application',
    address        String                 COMMENT 'Network address of the client' CODEC(ZSTD(1)),
    reason         String                 COMMENT 'Why the client was refused' CODEC(ZSTD(1)),
    log_partition  Int32                  COMMENT 'Partition of topic chat.events' CODEC(Delta(4), ZSTD(1)),
    log_offset     Int64                  COMMENT 'Offset on topic chat.events' CODEC(Delta(8), ZSTD(1)),
    precedence     UInt64                 MATERIALIZED 18446744073709551615 - toUInt64(log_offset) COMMENT 'Version of the row: the first occurrence in the log wins' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(time)
ORDER BY (shop_id, event_id)
COMMENT 'Sign-ins, sign-outs, and refused clients; storage, read sign_ins instead';

CREATE OR REPLACE VIEW feige.sign_ins /* ON CLUSTER */
(
    shop_id        String                 COMMENT 'Shop of the account',
    event_id       String                 COMMENT 'Id of the event, as in chat_events',
    time           DateTime64(6, 'UTC')   COMMENT 'When it happened, UTC, microseconds',
    kind           Enum8('signed_in' = 18, 'signed_out' = 19, 'refused' = 20) COMMENT 'Sign-in, sign-out, or a client application refused (rules 2.2 and 2.10)',
    account_role   Enum8('unspecified' = 0, 'consumer' = 1, 'agent' = 2, 'bot' = 3, 'system' = 4) COMMENT 'Role of the account',
    account_id     String                 COMMENT 'Account that signed in or out, or whose client was refused',
    session_id     String                 COMMENT 'Session that begins or ends',
    client         LowCardinality(String) COMMENT 'Client application',
    client_version LowCardinality(String) COMMENT 'Version of the client application',
    address        String                 COMMENT 'Network address of the client',
    reason         String                 COMMENT 'Why the client was refused',
    log_partition  Int32                  COMMENT 'Partition of topic chat.events',
    log_offset     Int64                  COMMENT 'Offset on topic chat.events'
)
AS SELECT
    shop_id, event_id, time, kind, account_role, account_id, session_id, client, client_version, address, reason,
    log_partition, log_offset
FROM feige.sign_ins_data FINAL
COMMENT 'Every sign-in, sign-out, and refused client once';
