// Package classify is a small learned text classifier: a linear model on hashed n-grams of characters and of
// sounds, and on the hits of word packs, trained from labelled files with a fixed recipe, and stored quantised in
// a file that holds its card. Inference is a sum of table look-ups. The package knows texts and labels and no
// rule.
package classify
