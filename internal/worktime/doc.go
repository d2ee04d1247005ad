// Package worktime answers what the calendar of one time zone says about instants: whether a daily
// window is open, which day and which half-month an instant belongs to, and how much of a stretch of
// time lies inside daily windows.
//
// Instants are UTC microseconds since 1970-01-01, intervals are half-open. Time zones may shift their
// clocks: a day can have 23 or 25 hours, and midnight need not exist. The rules are
//   - a window is open when the clock on the wall shows a time inside it;
//   - a day begins when the clock first reaches its midnight, and ends where the next one begins.
//
// The zone database is compiled in, for machines without one. The package knows no rule of the
// service assessment, only clocks; it never asks what time it is now.
package worktime
