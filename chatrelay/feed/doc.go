// Package feed reads chat.events for those who follow it: it keeps the newest records of each wanted
// partition in memory, hands new ones out in the order of the log, and lets a follower begin at any earlier
// place, without a gap or a repeat where the two meet. It reads partitions directly, without a group.
//
// It must not know who follows, what an event means, or how it travels on.
package feed
