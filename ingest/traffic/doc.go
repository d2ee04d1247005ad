// Package traffic makes up believable chats between consumers and shops: shops of very unequal size, a
// day's rise and fall, rushes, quick, slow, and absent agents, shifts, auto-replies, ratings that follow the
// waits, blocks, transfers, sign-ins, and now and then a message that breaks the rules.
//
// It is pure: the same Config always gives the same events, in order of time. It knows no Kafka, and none
// of the rules by which events are counted: what it makes is input, like a recording. Names, numbers, and
// texts are invented.
package traffic
