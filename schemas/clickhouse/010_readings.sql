-- Readings by SQL: an auditor's statements are recorded beside what is read through the relay and the review desk.

ALTER TABLE feige.audit_reads_data /* ON CLUSTER */
    ADD COLUMN IF NOT EXISTS statement String COMMENT 'Statement that read, without what stands in its strings and numbers; empty on other readings' CODEC(ZSTD(1)),
    COMMENT COLUMN shop_id 'Shop whose conversation was read; empty where a statement read',
    COMMENT COLUMN conversation_id 'Conversation that was read; empty where a statement read',
    COMMENT COLUMN purpose 'Why it was read, for people; sql where a statement read';

CREATE OR REPLACE VIEW feige.audit_reads /* ON CLUSTER */
(
    shop_id         String                 COMMENT 'Shop whose conversation was read; empty where a statement read',
    conversation_id String                 COMMENT 'Conversation that was read; empty where a statement read',
    read_id         String                 COMMENT 'Unique id of the read',
    time            DateTime64(6, 'UTC')   COMMENT 'When it was read, UTC, microseconds',
    reader_role     LowCardinality(String) COMMENT 'Role under which it was read: reviewer, manager, auditor, service',
    reader_id       String                 COMMENT 'Account that read it',
    authorised_by   String                 COMMENT 'Grant, order, or appeal that allowed the read',
    purpose         String                 COMMENT 'Why it was read, for people; sql where a statement read',
    address         String                 COMMENT 'Network address of the reader',
    messages        UInt32                 COMMENT 'Messages that were shown',
    statement       String                 COMMENT 'Statement that read, without what stands in its strings and numbers; empty on other readings'
)
AS SELECT
    shop_id, conversation_id, read_id, time, reader_role, reader_id, authorised_by, purpose, address, messages, statement
FROM feige.audit_reads_data FINAL
COMMENT 'Every read of a conversation by anyone but its two sides once (rules 2.1), and every statement of an auditor';
