package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/feigeio/feige/chatrelay/client"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

type chatCmd struct {
	URL          []string `help:"Relay; repeatable." default:"http://127.0.0.1:9190" placeholder:"URL"`
	Token        string   `help:"Token; or name role, account, and shop, where the key file is at hand." env:"FEIGE_CHAT_TOKEN" placeholder:"JWT"`
	Role         string   `help:"consumer or agent." default:"consumer" enum:"consumer,agent"`
	Account      string   `help:"Account to be." placeholder:"ID"`
	Shop         string   `help:"Shop to talk to or work for." placeholder:"SHOP"`
	Conversation string   `help:"Conversation to talk in at first (agents)." placeholder:"ID"`
}

// Run is a terminal client: lines are messages, lines that begin with '/' are commands.
func (c chatCmd) Run(a *app) error {
	token, err := c.token(a)
	if err != nil {
		return err
	}
	t := &terminalChat{out: a.stdout, conversation: c.Conversation}
	cl, err := client.New(client.Config{URLs: c.URL, Token: token, Client: "open-api", Version: version, ShopID: c.Shop,
		OnEvent: t.event, OnFrame: t.frame, OnState: t.state})
	if err != nil {
		return withCode(codeUsage, err)
	}
	ctx, stop := context.WithCancel(a.ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- cl.Run(ctx) }()
	lines := make(chan string)
	go func() {
		defer close(lines)
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			lines <- in.Text()
		}
	}()
	fmt.Fprintln(a.stdout, "A line is a message. /to ID, /claim, /close, /rate 1-5, /history, /resume (reception), /quit")
	for {
		select {
		case err := <-ended:
			if err != nil {
				return withCode(codeUnavailable, fmt.Errorf("chat: %w", err))
			}
			return nil
		case line, ok := <-lines:
			if !ok || line == "/quit" {
				return nil
			}
			t.line(ctx, cl, strings.TrimSpace(line))
		}
	}
}

func (c chatCmd) token(a *app) (func() (string, error), error) {
	if c.Token != "" {
		return func() (string, error) { return c.Token, nil }, nil
	}
	if c.Account == "" || c.Shop == "" {
		return nil, withCode(codeUsage, errors.New("chat: give --token, or --account and --shop"))
	}
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	keys, err := signin.LoadKeys(s.relayConfig().KeysFile)
	if err != nil {
		return nil, withCode(codeUsage, fmt.Errorf("chat: %w (or give --token)", err))
	}
	return func() (string, error) {
		return keys.Issue(signin.Identity{Role: signin.Role(c.Role), Account: c.Account, Shop: c.Shop}, time.Now(), time.Hour)
	}, nil
}

// terminalChat shows and sends.
type terminalChat struct {
	out          io.Writer
	conversation string
}

func (t *terminalChat) state(connected bool) {
	if connected {
		fmt.Fprintln(t.out, "-- connected")
	} else {
		fmt.Fprintln(t.out, "-- connection lost, connecting again")
	}
}

func (t *terminalChat) event(d client.Delivery) { t.show(d.Event) }

func (t *terminalChat) show(ev *chatv1.ChatEvent) {
	at := time.UnixMicro(ev.OccurredAtUs).Format(time.TimeOnly)
	who := strings.ToLower(strings.TrimPrefix(ev.Actor.GetRole().String(), "ROLE_")) + " " + ev.Actor.GetId()
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		text := p.Message.Text
		for _, f := range p.Message.Attachments {
			text += fmt.Sprintf(" [%s %s, %d bytes]", f.MimeType, f.FileName, f.Size)
		}
		if p.Message.Card != nil {
			text += " [" + p.Message.Card.Title + "]"
		}
		fmt.Fprintf(t.out, "%s %s/%s: %s\n", at, ev.ConversationId, who, text)
	case *chatv1.ChatEvent_ConversationClosed:
		fmt.Fprintf(t.out, "%s %s closed by %s\n", at, ev.ConversationId, who)
	case *chatv1.ChatEvent_ConversationTransferred:
		fmt.Fprintf(t.out, "%s %s is now with %s\n", at, ev.ConversationId, p.ConversationTransferred.ToAgentId)
	case *chatv1.ChatEvent_ConversationRated:
		fmt.Fprintf(t.out, "%s %s rated %d\n", at, ev.ConversationId, p.ConversationRated.Score)
	}
}

func (t *terminalChat) frame(f *protocol.Frame) {
	switch f.Type {
	case protocol.TypeReception:
		fmt.Fprintf(t.out, "-- reception: %s (%d of %d unreplied)\n", f.Reception.Mode, f.Reception.Unreplied, f.Reception.Limit)
	case protocol.TypeAskRating:
		fmt.Fprintln(t.out, "-- how was it? /rate 1-5")
	case protocol.TypeShield:
		fmt.Fprintln(t.out, "-- a message was withdrawn")
	case protocol.TypeSanction:
		fmt.Fprintf(t.out, "-- sanction: banned %v, muted until %d\n", f.Sanction.Banned, f.Sanction.MutedUntilUS)
	case protocol.TypeError:
		fmt.Fprintf(t.out, "-- %s: %s\n", f.Code, f.Text)
	}
}

func (t *terminalChat) line(ctx context.Context, cl *client.Client, line string) {
	word, rest, _ := strings.Cut(line, " ")
	req := &protocol.Request{ConversationID: t.conversation}
	switch word {
	case "":
		return
	case "/to":
		t.conversation = rest
		return
	case "/claim":
		req.Type = protocol.TypeClaim
	case "/close":
		req.Type, req.Reason = protocol.TypeClose, rest
	case "/resume":
		req.Type = protocol.TypeResumeReception
	case "/rate":
		req.Type = protocol.TypeRate
		if _, err := fmt.Sscan(rest, &req.Score); err != nil {
			fmt.Fprintln(t.out, "-- /rate 1-5")
			return
		}
	case "/history":
		req.Type, req.Limit = protocol.TypeHistory, 20
	default:
		if strings.HasPrefix(word, "/") {
			fmt.Fprintln(t.out, "-- no such command")
			return
		}
		req.Type, req.Text = protocol.TypeSend, line
	}
	call, err := cl.Go(req)
	if err != nil {
		return // Run tells why
	}
	go func() {
		select {
		case <-call.Done():
		case <-ctx.Done():
			return
		}
		f, err := call.Result()
		if err != nil || f.Type != protocol.TypeHistory {
			return // errors are shown as frames
		}
		for _, e := range f.Events {
			if ev, err := client.ParseEvent(e.Event); err == nil {
				t.show(ev)
			}
		}
	}()
}
