package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/feigeio/feige/chatrelay/client"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TakeoverReport is how long it takes from the message that is one too many, at the consumer's client.
type TakeoverReport struct {
	// Mode until the client is told that the bot receives; Answer until the bot's first message is there (none,
	// where no bot runs).
	Mode, Answer Quantiles
	// Missed takeovers: nothing came within ten seconds.
	Missed int
}

// Takeovers lets a consumer in each of n shops write one message more than a shop may leave without a reply
// (2.1), one shop after the other.
func Takeovers(ctx context.Context, cfg Config, n int) (*TakeoverReport, error) {
	rep := &TakeoverReport{}
	var modes, answers []time.Duration
	for i := range n {
		mode, answer, err := takeover(ctx, cfg, fmt.Sprintf("load-takeover-%d-%d", time.Now().Unix(), i))
		if err != nil {
			return nil, err
		}
		if mode == 0 {
			rep.Missed++
			continue
		}
		modes = append(modes, mode)
		if answer > 0 {
			answers = append(answers, answer)
		}
	}
	rep.Mode, rep.Answer = quantiles(modes), quantiles(answers)
	return rep, nil
}

func takeover(ctx context.Context, cfg Config, shop string) (mode, answer time.Duration, err error) {
	const account = "load-c"
	ctx, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	taken, answered := make(chan time.Time, 1), make(chan time.Time, 1)
	put := func(c chan time.Time) {
		select {
		case c <- time.Now():
		default:
		}
	}
	c, err := client.New(client.Config{URLs: cfg.URLs, Client: cfg.Client, Version: "load",
		Token: func() (string, error) { return cfg.Token(signin.Consumer, account, shop) },
		OnFrame: func(f *protocol.Frame) {
			if f.Type == protocol.TypeReception && f.Reception.Mode == protocol.ModeBot {
				put(taken)
			}
		},
		OnEvent: func(d client.Delivery) {
			if d.Event.Actor.GetRole() == chatv1.Role_ROLE_BOT {
				put(answered)
			}
		}})
	if err != nil {
		return 0, 0, err
	}
	ended := make(chan error, 1)
	wait.Go(func() { ended <- c.Run(ctx) })
	select {
	case <-c.Ready():
	case err := <-ended:
		return 0, 0, fmt.Errorf("load: takeover: %w", err)
	}
	limit := c.Welcome().Reception.Limit
	var last time.Time
	for range limit + 1 {
		last = time.Now()
		if _, err := c.Send(ctx, &protocol.Request{Text: "is anybody there?"}); err != nil {
			return 0, 0, fmt.Errorf("load: takeover: %w", err)
		}
	}
	over := time.After(10 * time.Second)
	select {
	case at := <-taken:
		mode = at.Sub(last)
	case <-over:
		return 0, 0, nil
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	select {
	case at := <-answered:
		answer = at.Sub(last)
	case <-time.After(time.Second): // no bot runs
	}
	return mode, answer, nil
}
