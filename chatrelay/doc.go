// Package chatrelay is the relay through which consumers and shops talk: it signs people in, checks what they
// may do and whether they may speak, publishes what they say to chat.events, and hands out what the log says
// to those whom it concerns. docs/protocol.md is what clients see of it.
//
// Any number of relays work side by side on one Kafka. They share nothing but the log and the processors'
// tables. It must not know how reception, penalties, or the assessment are computed, nor what answers the bot
// gives.
package chatrelay
