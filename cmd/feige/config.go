package main

import (
	"fmt"

	"github.com/feigeio/feige/internal/config"
)

type configCmd struct{}

func (configCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	text, err := config.Show(s)
	if err != nil {
		return err
	}
	fmt.Fprint(a.stdout, text)
	return nil
}
