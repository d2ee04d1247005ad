// Package config loads one settings struct from defaults, a YAML file, the environment, and flags, in
// that order of increasing weight, and says in one line what is wrong and where.
//
// It knows how to load, not what: the struct is the caller's, its keys are the yaml tags, its defaults
// are the values that it holds when Load is called. An unknown key or a value of the wrong type is an
// error in every source.
package config
