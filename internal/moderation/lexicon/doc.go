// Package lexicon finds the terms of word packs in normalised texts.
//
// A pack is a text file:
//
//	name: abuse
//	version: 2026.11.1
//	category: abuse
//
//	[terms]
//	# term, kind, confidence, options, parted by tabs
//	傻逼	insult	0.95	~
//	好评…返现	brushing	0.9
//
//	[allow]
//	# words that hold a term of this pack but are none
//	啥比
//
// The terms' separators are ignored in the text, unless they part its sentences. Option ~ also finds what
// sounds like the term, = only the term without anything in between, < only where no Latin letter stands
// beside one of its own (so do all terms of Latin letters only), > lifts that. Parts joined by … must follow each other within 16
// runes; the term's span is from the first to the last. The package knows terms and positions, and no rule
// beyond that.
package lexicon
