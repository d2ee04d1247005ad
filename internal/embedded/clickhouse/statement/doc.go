// Package statement reads SQL far enough to tell what kind of statement it is, where the data of an INSERT
// begins, and whether it asks for what this server never gives: files, other machines, programs.
//
// The engine's own access rights are the first line: its users hold no right to any source outside the data
// directory. This package is the second, for what the engine does not guard (the client's side of INTO
// OUTFILE, the scalar function file(), engines that take a path), and it needs no library to run.
//
// It accepts less than the engine's lexer on purpose. Where the two might disagree about what is a comment,
// a string, or a name, the statement is refused, so that nothing can hide from it.
package statement
