package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type readyCmd struct{}

// Run asks the instance that runs with the same configuration: container health checks call it.
func (readyCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if s.HTTP.Addr == "" {
		return withCode(codeUsage, fmt.Errorf("http.addr is empty: nothing answers"))
	}
	ctx, cancel := context.WithTimeout(a.ctx, 4*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(s.HTTP.Addr)+"/readyz", nil)
	if err != nil {
		return withCode(codeUsage, fmt.Errorf("http.addr: %w", err))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return withCode(codeDifference, fmt.Errorf("not ready: %w", err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return withCode(codeDifference, fmt.Errorf("not ready: %w", err))
	}
	fmt.Fprint(a.stdout, string(body))
	if response.StatusCode != http.StatusOK {
		return withCode(codeDifference, fmt.Errorf("not ready: %s", strings.ReplaceAll(strings.TrimSpace(string(body)), "\n", "; ")))
	}
	return nil
}
