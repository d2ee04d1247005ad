//go:build linux

package chdb

import (
	"syscall"
	"unsafe"
)

// threadSignal is SIGRTMIN as libc counts it.
const threadSignal = 34

// ignoreThreadSignal undoes a handler that the engine installs whenever it starts. The handler runs on
// whatever stack is current, and `SELECT ... FROM system.stack_trace` sends the signal to every thread of
// the process: it would write over the stacks of goroutines. Ignored, the table just has no traces.
func ignoreThreadSignal() {
	action := struct {
		handler, flags, restorer uintptr
		mask                     uint64
	}{handler: 1}
	// Raw, for the signal package knows nothing of this handler.
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, threadSignal, uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}
