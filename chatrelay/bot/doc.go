// Package bot is the reception bot (rules 2.1): while it receives for a shop, it answers every message of a
// consumer once, and says that a human is coming. It reads chat.events as a consumer group and the table of the
// reception processor, which alone decides when the bot receives and when it hands back. Answers come from the
// shop's list of questions, or from a webhook of the shop's own bot.
//
// The id of an answer is made from that of the message, so that whatever crashes, or answers twice, there is
// one answer: everybody who reads the log knows the second for a repeat.
//
// It must not know connections, and it does not count messages.
package bot
