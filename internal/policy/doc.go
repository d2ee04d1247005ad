// Package policy holds every number and every choice of the platform's service rules as values: read
// from one YAML file, checked, and immutable from then on.
//
// A file holds whole versions in the order in which they come into force; Set.At gives the one in
// force at an instant. default.yaml is the default and says the paragraph of the rules for each value;
// schema.json says what a file may hold. What a schema cannot say (overlapping windows, versions out
// of order) is checked in Go. Every problem is one line with file, line, key, and what is allowed.
//
// The package knows what the values are, not how they are applied, and never asks what time it is.
package policy
