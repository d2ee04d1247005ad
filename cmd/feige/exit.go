package main

import (
	"errors"
	"syscall"

	"github.com/feigeio/feige/internal/config"
)

// Exit codes of every subcommand.
const (
	codeOK          = 0
	codeDifference  = 1 // differences found, or a check failed
	codeUsage       = 2 // the command line, the configuration, or the policy is wrong
	codeUnavailable = 3 // an engine is missing or cannot be reached
	codeBadData     = 4 // input that cannot be used
	codeInUse       = 5 // a data directory or a port is taken by another process
	codeFailed      = 10
	codeInterrupted = 130
)

const exitCodesHelp = "Exit codes: 0 ok; 1 differences or a failed check; 2 usage or configuration; 3 engine unavailable; " +
	"4 bad input data; 5 directory or port in use; 10 any other failure; 130 second signal."

// coded is an error with the exit code that it leads to.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// withCode says which exit code an error leads to. A code set further down stands.
func withCode(code int, err error) error {
	var already *coded
	if err == nil || errors.As(err, &already) {
		return err
	}
	return &coded{code: code, err: err}
}

// codeOf is the exit code of an error.
func codeOf(err error) int {
	var c *coded
	var badConfig *config.Error
	switch {
	case err == nil:
		return codeOK
	case errors.As(err, &c):
		return c.code
	case errors.As(err, &badConfig):
		return codeUsage
	case errors.Is(err, syscall.EADDRINUSE):
		return codeInUse
	case errors.Is(err, syscall.ECONNREFUSED):
		return codeUnavailable
	}
	return codeFailed
}

// silent is an exit code without a message: all has been said on standard output.
func silent(code int) error { return &coded{code: code, err: errors.New("")} }
