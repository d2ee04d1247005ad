//go:build !linux

package chdb

// ignoreThreadSignal has nothing to do where there are no real-time signals.
func ignoreThreadSignal() {}
