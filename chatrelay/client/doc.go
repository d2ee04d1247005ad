// Package client speaks the relay's protocol: it connects, connects again when the connection is lost, goes on
// from where it was, sends again what was not acknowledged, and checks by itself that nothing is lost, told
// twice, or out of order. Tests, the bot, the terminal client, and the load generator use it.
//
// It must not know how a relay is built.
package client
