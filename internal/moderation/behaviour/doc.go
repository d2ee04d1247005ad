// Package behaviour judges what accounts do rather than what they write: a shop that blocks consumers without cause
// (2.9), and sign-ins that look taken over (2.2). It holds bounded states and pure functions in event time, and knows
// nothing of texts.
package behaviour
