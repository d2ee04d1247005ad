package main

import (
	"fmt"
	"time"

	"github.com/feigeio/feige/internal/signin"
)

type tokenCmd struct {
	Role    string        `arg:"" help:"consumer, agent, manager, operator, reviewer, auditor, or service." enum:"consumer,agent,manager,operator,reviewer,auditor,service"`
	Account string        `arg:"" help:"Id of the account."`
	Shop    string        `help:"Shop that the token is for; agents and managers need one." placeholder:"SHOP"`
	Client  string        `help:"The only client that may use it." placeholder:"NAME"`
	Life    time.Duration `help:"How long it is good." default:"12h"`
	NewKeys bool          `name:"new-keys" help:"Make a key file for trials if there is none."`
}

func (c tokenCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	path := s.relayConfig().KeysFile
	if c.NewKeys {
		if err := signin.CreateKeys(path); err != nil {
			return err
		}
	}
	keys, err := signin.LoadKeys(path)
	if err != nil {
		return withCode(codeUsage, fmt.Errorf("%w (relay.keys_file; --new-keys makes one)", err))
	}
	text, err := keys.Issue(signin.Identity{Role: signin.Role(c.Role), Account: c.Account, Shop: c.Shop, Client: c.Client}, time.Now(), c.Life)
	if err != nil {
		return withCode(codeUsage, fmt.Errorf("token: %w", err))
	}
	fmt.Fprintln(a.stdout, text)
	return nil
}
