package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
)

// lockDataDir makes the data directory this process's own until unlock is called or the process ends.
func lockDataDir(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, withCode(codeFailed, fmt.Errorf("data directory %s cannot be made: %w: set another --data-dir", dir, plainCause(err)))
	}
	path := filepath.Join(dir, "feige.lock")
	lock := flock.New(path)
	ok, err := lock.TryLock()
	if err != nil {
		return nil, withCode(codeFailed, fmt.Errorf("data directory %s cannot be locked: %w: set another --data-dir", dir, plainCause(err)))
	}
	if !ok {
		return nil, withCode(codeInUse, fmt.Errorf("data directory %s is in use by %s: stop it, or set another --data-dir", dir, lockOwner(path)))
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
		_ = lock.Unlock() // the error that matters is on its way
		return nil, withCode(codeFailed, fmt.Errorf("data directory %s cannot be written: %w", dir, plainCause(err)))
	}
	return func() { _ = lock.Unlock() }, nil // the end of the process unlocks in any case
}

// lockOwner says who holds a lock file.
func lockOwner(path string) string {
	data, err := os.ReadFile(path)
	if pid, convErr := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && convErr == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}

// portFree says in one line why an address cannot be listened on.
func portFree(key, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err == nil {
		return listener.Close()
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return withCode(codeInUse, fmt.Errorf("%s: %s is in use: stop what listens there, or set another address", key, addr))
	}
	return withCode(codeUsage, fmt.Errorf("%s: cannot listen on %s: %w", key, addr, plainCause(err)))
}

// plainCause drops what the messages around it say already.
func plainCause(err error) error {
	var path *os.PathError
	var call *os.SyscallError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &call):
		return call.Err
	}
	return err
}
