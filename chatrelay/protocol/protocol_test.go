package protocol

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	refused := func(name, data string, code Code) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Decode([]byte(data))
			var p *Problem
			if !errors.As(err, &p) || p.Code != code {
				t.Fatalf("got %v, want %s", err, code)
			}
			if strings.Contains(err.Error(), "秘密") {
				t.Errorf("the error holds what was sent: %v", err)
			}
		})
	}
	refused("empty", "", CodeBadFrame)
	refused("no object", `[1]`, CodeBadFrame)
	refused("text", `秘密`, CodeBadFrame)
	refused("half", `{"type":"send","text":"秘密`, CodeBadFrame)
	refused("two", `{"type":"ping"}{"type":"ping"}`, CodeBadFrame)
	refused("no type", `{"text":"秘密"}`, CodeBadFrame)
	refused("wrong type of a field", `{"type":"send","text":{"秘密":1}}`, CodeBadFrame)
	refused("fraction", `{"type":"rate","score":4.5}`, CodeBadFrame)
	refused("not UTF-8", "{\"type\":\"send\",\"text\":\"\xff\"}", CodeBadFrame)
	refused("deep", `{"type":"send","x":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`}`, CodeBadFrame)
	refused("deep and half", strings.Repeat(`{"a":`, 1000), CodeBadFrame)
	refused("huge", `{"type":"send","text":"`+strings.Repeat("a", MaxFrame)+`"}`, CodeTooLarge)
	refused("long id", `{"type":"send","id":"`+strings.Repeat("a", MaxRequestID+1)+`"}`, CodeBadFrame)
	refused("control character in the id", `{"type":"send","id":"a\u0000"}`, CodeBadFrame)
	refused("attachments", `{"type":"send","attachments":["1","2","3","4","5","6","7","8","9","10"]}`, CodeInvalid)

	r, err := Decode([]byte(` {"type":"send","id":"m-1","text":"[[[[[[[[[[\"{{{{","new":{"field":[1]}}`))
	if err != nil || r.Type != TypeSend || r.ID != "m-1" || r.Text != `[[[[[[[[[["{{{{` {
		t.Fatalf("got %+v, %v", r, err)
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	for _, p := range []Position{{0, -1}, {0, 0}, {3, 1 << 40}} {
		back, err := ParsePosition(p.String())
		if err != nil || back != p {
			t.Errorf("%v came back as %v, %v", p, back, err)
		}
	}
	for _, bad := range []string{"", "1", "a.1", "1.a", "-1.3", "1.-2", "1.2.3", "99999999999.1", "1.99999999999999999999"} {
		if _, err := ParsePosition(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestEventID(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	note := func(name, id string) {
		if len(id) != 36 || id[14] != '8' {
			t.Errorf("%s: %s is no UUIDv8", name, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s have the same id", name, other)
		}
		seen[id] = name
	}
	note("one", EventID("s", "c", "consumer", "a", TypeSend, "1"))
	note("other shop", EventID("s2", "c", "consumer", "a", TypeSend, "1"))
	note("moved border", EventID("sc", "", "consumer", "a", TypeSend, "1"))
	note("other type", EventID("s", "c", "consumer", "a", TypeClose, "1"))
	note("other id", EventID("s", "c", "consumer", "a", TypeSend, "2"))
	if EventID("s", "c", "consumer", "a", TypeSend, "1") != EventID("s", "c", "consumer", "a", TypeSend, "1") {
		t.Error("not the same again")
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","versions":[1],"token":"x","client":"web"}`, `{"type":"send","id":"1","text":"hi","card":{"kind":"product"}}`,
		`{"type":"history","before":"0.1","limit":3}`, `[]`, `{`, `{"type":"send","text":"\ud800"}`, strings.Repeat("[", 100),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			var p *Problem
			if !errors.As(err, &p) || p.Code == "" {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(again); err != nil && len(again) <= MaxFrame {
			t.Fatalf("not read again: %v", err)
		}
	})
}

func FuzzPosition(f *testing.F) {
	f.Add("0.1")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := ParsePosition(text); err == nil {
			if q, err := ParsePosition(p.String()); err != nil || q != p {
				t.Fatalf("%v, %v", q, err)
			}
		}
	})
}
