// Package moderation judges what people write and send in a conversation (rules 2.3 to 2.10): it normalises the
// text, looks for contacts, for the terms of word packs, and asks small learned classifiers; every finding is a
// Flag with its place in the original text, its evidence, and the versions that made it.
//
// It is a library: it knows no Kafka, no conversation, and no penalty, and reads no clock. What needs a memory of
// earlier events (repetition, behaviour) stands in subpackages as states that the caller keeps.
package moderation
