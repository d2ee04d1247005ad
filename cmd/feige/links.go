package main

import (
	"fmt"
	"io"
	"net"
	"time"

	"github.com/feigeio/feige/internal/signin"
)

// demoLife is how long the tokens of printed links are good.
const demoLife = 12 * time.Hour

// chatLinks prints where people chat. On loopback the links hold tokens for a trial, in the fragment, which browsers
// send nowhere.
func (r *process) chatLinks(w io.Writer, live *liveStages) {
	relay := live.relay
	addr := reachable(relay.Addr())
	base := relay.URL()[:len(relay.URL())-len(relay.Addr())] + addr
	consumer, agent, reviewer, operator := "", "", "", ""
	if host, _, err := net.SplitHostPort(addr); err == nil && net.ParseIP(host).IsLoopback() {
		if keys, err := signin.LoadKeys(r.settings.relayConfig().KeysFile); err == nil {
			consumer = demoToken(keys, signin.Identity{Role: signin.Consumer, Account: "demo-consumer", Shop: "demo-shop"})
			reviewer = demoToken(keys, signin.Identity{Role: signin.Reviewer, Account: "demo-reviewer"})
			operator = demoToken(keys, signin.Identity{Role: signin.Operator, Account: "demo-operator"})
			agent = demoToken(keys, signin.Identity{Role: signin.Manager, Account: "demo-agent", Shop: "demo-shop"})
		}
	}
	fmt.Fprintf(w, "chat        %s/chat%s\ndesk        %s/desk%s\nreview      %s/review%s\nconsole     %s/console/%s\n", base, consumer, base, agent, live.console, reviewer, live.console, operator)
	if consumer == "" {
		fmt.Fprintln(w, "            (feige token makes tokens to sign in with)")
	}
}

func demoToken(keys *signin.Keys, id signin.Identity) string {
	text, err := keys.Issue(id, time.Now(), demoLife)
	if err != nil {
		return "" // a key set that does not sign
	}
	return "#token=" + text
}
