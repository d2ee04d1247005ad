// Package tables is what a relay knows of the processors' tables: who receives in a shop, who is muted or
// banned, which messages are shielded, and which consumers a shop has blocked. It reads the table topics
// directly, keeps of each value only what a relay asks for, and follows them for good.
//
// It must not know connections, and it decides nothing.
package tables
