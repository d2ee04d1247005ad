// Package repetition finds the same advertisement sent again and again by one sender, with small edits, across
// conversations and shops (2.7). It holds a bounded memory of signatures by sender, in event time; whether a text is
// an advertisement at all is the caller's question.
package repetition
