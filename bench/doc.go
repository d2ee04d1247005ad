// Package bench holds benchmarks of the whole chain. Results, with method, stand in docs/benchmarks.md.
// Run them by `make bench`.
package bench
