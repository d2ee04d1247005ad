package main

import (
	"errors"
	"fmt"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
)

type setupCmd struct{}

func (setupCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	path, err := a.library(s)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "libchdb is in place: %s\n", path)
	return nil
}

// library finds libchdb, and fetches it when it is simply not there yet.
func (a *app) library(s settings) (string, error) {
	path, err := eclickhouse.Locate(s.Embedded.ClickHouse.Library)
	if errors.Is(err, eclickhouse.ErrNoLibrary) {
		path, err = eclickhouse.Fetch(a.ctx, a.stdout)
	}
	return path, withCode(codeUnavailable, err)
}
