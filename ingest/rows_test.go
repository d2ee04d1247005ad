package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const testNowUS = int64(1_800_000_000_000_000)

func readAll(t testing.TB, r rowReader) []row {
	t.Helper()
	var rows []row
	for {
		got, err := r.next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		got.raw = bytes.Clone(got.raw)
		rows = append(rows, got)
	}
}

func csvOf(t testing.TB, m Mapping, text string) []row {
	t.Helper()
	c, err := m.compile(false)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := newCSVRows(iotest.HalfReader(strings.NewReader(text)), c, newRowIDs("test"), testNowUS)
	if err != nil {
		t.Fatal(err)
	}
	return readAll(t, rows)
}

func TestCSVScanner(t *testing.T) {
	t.Parallel()
	// want has a row as its fields joined by '|', or "!code"; lines are where rows begin.
	check := func(name, text, want string, lines ...int64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, src := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
				s := newCSVScanner(src, ',')
				var got []string
				var at []int64
				for {
					r, err := s.next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					at = append(at, r.line)
					if r.fault != nil {
						got = append(got, "!"+string(r.fault.Code))
					} else {
						got = append(got, strings.Join(r.fields, "|"))
					}
				}
				if g := strings.Join(got, "\n"); g != want {
					t.Errorf("rows\n%s\nwant\n%s", g, want)
				}
				if len(lines) > 0 && !slices.Equal(at, lines) {
					t.Errorf("lines %v, want %v", at, lines)
				}
			}
		})
	}
	check("plain", "a,b\nc,d\n", "a|b\nc|d", 1, 2)
	check("no line end", "a,b\nc,d", "a|b\nc|d")
	check("CRLF", "a,b\r\nc,d\r\n", "a|b\nc|d")
	check("byte order mark", "\ufeffa,b\n", "a|b")
	check("blank lines", "\n\na,b\n\r\n\nc,d\n\n", "a|b\nc|d", 3, 6)
	check("empty fields", ",,\n", "||")
	check("quoted", `"a","b,c"`+"\n", "a|b,c")
	check("doubled quotes", `"a ""b"" c",d`+"\n", `a "b" c|d`)
	check("quoted to the end", `a,"b"`, "a|b")
	check("empty quoted", `"",""`+"\r\n", "|")
	check("two lines", "\"a\nb\",c\nd,e\n", "a\nb|c\nd|e", 1, 3)
	check("bare quote", `5" nail,b`+"\n", `5" nail|b`)
	check("never closed", "\"a,b\nc,d\n", "!syntax\nc|d", 1, 2)
	check("never closed at the end", "a,b\n\"c,d", "a|b\n!syntax", 1, 2)
	check("text after a quote", "\"a\"x,b\nc,d\n", "!syntax\nc|d", 1, 2)
	check("stray quote swallows nothing", "x,\"oops\na,b\nc,d\n", "!syntax\na|b\nc|d", 1, 2, 3)
	check("lone CR at the end", "a,\"b\"\r", "a|b")
	check("long row", "a,"+strings.Repeat("x", maxRow)+"\nc,d\n", "!long_row\nc|d", 1, 2)
	check("long row at the end", "a,b\nc,"+strings.Repeat("x", 3*maxRow), "a|b\n!long_row", 1, 2)
	check("empty", "", "")
}

func TestCSVMapping(t *testing.T) {
	t.Parallel()
	type event = chatv1.ChatEvent
	check := func(name string, m Mapping, text string, want func(ev *event) bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows := csvOf(t, m, text)
			if len(rows) != 1 {
				t.Fatalf("%d rows", len(rows))
			}
			if rows[0].fault != nil {
				t.Fatal(rows[0].fault)
			}
			if !want(rows[0].event) {
				t.Errorf("got %v", rows[0].event)
			}
		})
	}
	const head = "shop,conversation,ts,role,user,text\n"
	check("usual titles", Mapping{}, head+"s,c,2024-01-02T03:04:05Z,consumer,u,hello", func(ev *event) bool {
		return ev.ShopId == "s" && ev.ConversationId == "c" && ev.OccurredAtUs == 1704164645e6 && ev.Actor.Role == chatv1.Role_ROLE_CONSUMER &&
			ev.Actor.Id == "u" && ev.GetMessage().Text == "hello" && ev.GetMessage().Kind == chatv1.MessageKind_MESSAGE_KIND_TEXT
	})
	check("own titles", Mapping{Shop: "商店", Conversation: "会话", Time: "时间", Role: "身份", User: "账号", Text: "内容", TimeZone: "Asia/Shanghai", Delimiter: ";"},
		"时间;会话;商店;身份;账号;内容\n2024-01-02 11:04:05;c;s;买家;u;你好", func(ev *event) bool {
			return ev.OccurredAtUs == 1704164645e6 && ev.Actor.Role == chatv1.Role_ROLE_CONSUMER && ev.GetMessage().Text == "你好"
		})
	check("no header", Mapping{NoHeader: true, Conversation: "#1", Time: "#2", User: "#3", Text: "#4", ShopValue: "one", RoleValue: "seller"},
		"c,1704164645,u,x", func(ev *event) bool { return ev.ShopId == "one" && ev.Actor.Role == chatv1.Role_ROLE_AGENT })
	check("role words", Mapping{Roles: map[string]string{"KF": "agent"}}, head+"s,c,2024-01-02T03:04:05Z,kf,u,x", func(ev *event) bool { return ev.Actor.Role == chatv1.Role_ROLE_AGENT })
	check("kind and automatic", Mapping{}, "shop,conversation,ts,role,user,text,kind,automatic\ns,c,2024-01-02T03:04:05Z,agent,u,x,Picture,yes", func(ev *event) bool {
		return ev.Actor.Automatic && ev.GetMessage().Kind == chatv1.MessageKind_MESSAGE_KIND_PICTURE
	})
	const eventHead = "shop,conversation,ts,role,user,event,score\n"
	check("rated", Mapping{}, eventHead+"s,c,2024-01-02T03:04:05Z,consumer,u,rated,2", func(ev *event) bool { return ev.GetConversationRated().GetScore() == 2 })
	check("closed", Mapping{}, eventHead+"s,c,2024-01-02T03:04:05Z,agent,u,closed,", func(ev *event) bool { return ev.GetConversationClosed() != nil })
	check("resumed", Mapping{}, eventHead+"s,c,2024-01-02T03:04:05Z,agent,u,resumed,", func(ev *event) bool {
		return ev.GetReceptionResumed() != nil && ev.ConversationId == ""
	})
	check("id that is a UUID", Mapping{}, "id,"+head+"0190F5FE-7B1A-7D7B-8F2B-0A3B5C7D9E1F,s,c,2024-01-02T03:04:05Z,agent,u,x", func(ev *event) bool {
		return ev.EventId == "0190f5fe-7b1a-7d7b-8f2b-0a3b5c7d9e1f"
	})
	check("id that is none", Mapping{}, "id,"+head+"77,s,c,2024-01-02T03:04:05Z,agent,u,x", func(ev *event) bool { return len(ev.EventId) == 36 && ev.EventId[14] == '5' })

	wrong := func(name string, m Mapping, text, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := m.compile(false)
			if err == nil {
				_, err = newCSVRows(strings.NewReader(text), c, nil, testNowUS)
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want …%s…", err, want)
			}
		})
	}
	wrong("missing column", Mapping{}, "shop,conversation,ts,user\n", "no column for mapping.role")
	wrong("named column", Mapping{User: "who"}, head, `mapping.user: no column is called "who"`)
	wrong("twice", Mapping{}, "shop,shop,conversation,ts,role,user\n", `mapping.shop: two columns are called "shop"`)
	wrong("number", Mapping{User: "#9"}, head, `"#9" is not between #1 and #6`)
	wrong("empty file", Mapping{}, "", "the file is empty")
	wrong("role", Mapping{Roles: map[string]string{"x": "boss"}}, head, `mapping.roles: "boss"`)
	wrong("role value", Mapping{RoleValue: "boss"}, head, `mapping.role_value: "boss"`)
	wrong("time zone", Mapping{TimeZone: "Mars/Base"}, head, `mapping.time_zone: "Mars/Base"`)
	wrong("layout", Mapping{TimeLayout: "hh:mm"}, head, `mapping.time_layout: "hh:mm"`)
	wrong("delimiter", Mapping{Delimiter: "ab"}, head, `mapping.delimiter: "ab"`)
}

func TestTimes(t *testing.T) {
	t.Parallel()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	const want = int64(1704164645000000)
	check := func(layout, s string, want int64) {
		t.Helper()
		p := timeParser{layout: layout, zone: shanghai}
		if err := p.check(); err != nil {
			t.Fatal(err)
		}
		got, err := p.parse(s)
		if want == 0 && err == nil || want != 0 && (err != nil || got != want) {
			t.Errorf("%q of layout %q: %d, %v; want %d", s, layout, got, err, want)
		}
	}
	check("", "2024-01-02T03:04:05Z", want)
	check("auto", "2024-01-02T11:04:05+08:00", want)
	check("", "2024-01-02T03:04:05.123456789Z", want+123456)
	check("", " 2024-01-02 11:04:05 ", want)
	check("", "2024-01-02 11:04:05.25", want+250000)
	check("", "2024-01-02T11:04:05", want)
	check("", "2024/01/02 11:04:05", want)
	check("", "2024-01-02 11:04", want-5e6)
	check("", "1704164645", want)
	check("", "1704164645.5", want+500000)
	check("", "1704164645000", want)
	check("", "1704164645000000", want)
	check("", "17041646450000000", 0)
	check("", "", 0)
	check("", "tomorrow", 0)
	check("", "2024-02-30T00:00:00Z", 0)
	check("rfc3339", "2024-01-02 11:04:05", 0)
	check("unix_s", "1704164645.1234567", want+123456)
	check("unix_s", "1704164645.", 0)
	check("unix_s", "1704164645.x", 0)
	check("unix_s", "-5", 0)
	check("unix_s", "99999999999999999", 0)
	check("unix_ms", "1704164645000", want)
	check("unix_us", "1704164645000000", want)
	check("02.01.2006 15:04:05", "02.01.2024 11:04:05", want)
}

func TestRowIDs(t *testing.T) {
	t.Parallel()
	text := "shop,conversation,ts,role,user,text\n" + strings.Repeat("s,c,2024-01-02T03:04:05Z,agent,u,same\n", 3)
	ids := func(source string) []string {
		c, err := Mapping{}.compile(false)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := newCSVRows(strings.NewReader(text), c, newRowIDs(source), testNowUS)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range readAll(t, rows) {
			ids = append(ids, r.event.EventId)
		}
		return ids
	}
	a, again, other := ids("a"), ids("a"), ids("b")
	if !slices.Equal(a, again) {
		t.Errorf("the same file gives %v and %v", a, again)
	}
	all := slices.Concat(a, other)
	slices.Sort(all)
	if len(slices.Compact(all)) != 6 {
		t.Errorf("ids repeat: %v, %v", a, other)
	}
	// Fields must not run into each other.
	r := newRowIDs("x")
	if r.of(1, "ab", "c") == r.of(1, "a", "bc") {
		t.Error("different fields, same id")
	}
	// The ids of a file are for good: a recording that was replayed yesterday must be known today.
	if want := "7c03d053-d2a2-555a-81d4-eb57c13a7078"; r.of(7, "shop", "text") != want {
		t.Errorf("id %s, was %s", r.of(7, "shop", "text"), want)
	}
}

func TestJSONRows(t *testing.T) {
	t.Parallel()
	line := func(ev *chatv1.ChatEvent) string {
		b, err := protojson.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	named, unnamed, bad := say("s", "c", 1), say("s", "c", 2), say("s", "", 3)
	unnamed.EventId = ""
	text := "\ufeff" + line(named) + "\n\r\n" + line(unnamed) + "\r\n" + line(unnamed) + "\n" + line(bad) + "\n{\"shopId\": 5}\n{]\n" +
		"{\"x\":\"" + strings.Repeat("y", 2*maxRow) + "\"}\n{\"text\":\"\xff\"}\n{\"tick\":{\"atUs\":\"5\"}}\n" + line(named)
	rows := readAll(t, newJSONRows(strings.NewReader(text), newRowIDs("test"), testNowUS))
	var got []string
	for i, r := range rows {
		if r.number != int64(i+1) {
			t.Errorf("row %d has number %d", i+1, r.number)
		}
		if r.fault != nil {
			got = append(got, fmt.Sprint(r.line, " ", r.fault.Code))
		} else {
			got = append(got, fmt.Sprint(r.line, " ok"))
		}
	}
	want := []string{"1 ok", "3 ok", "4 ok", "5 empty_id", "6 syntax", "7 syntax", "8 long_row", "9 invalid_utf8", "10 empty_id", "11 ok"}
	if !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	if rows[0].event.EventId != named.EventId || rows[1].event.EventId == rows[2].event.EventId || len(rows[1].event.EventId) != 36 {
		t.Errorf("ids %s, %s, %s", rows[0].event.EventId, rows[1].event.EventId, rows[2].event.EventId)
	}
}

// checkRows asserts what must hold for any input: rows are numbered, and each is an acceptable event or has
// a reason.
func checkRows(t *testing.T, r rowReader, size int) {
	for n := int64(1); ; n++ {
		got, err := r.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got.number != n || got.line < 1 || n > int64(size)+1 {
			t.Fatalf("row %d: %+v", n, got)
		}
		if (got.fault == nil) == (got.event == nil) {
			t.Fatalf("row %d: %+v", n, got)
		}
		if got.fault != nil && (got.fault.Code == "" || got.fault.Field == "" || got.fault.Reason == "") {
			t.Fatalf("row %d: %+v", n, got.fault)
		}
		if got.event != nil {
			if err := Validate(got.event, testNowUS); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"s,c,2024-01-02T03:04:05Z,consumer,u,hello\n", "\"a\nb\",\"\"\"\"\r\n", "s,c,1704164645,客服,u,\"x\n", "\xff,,,\n", "\n\n,,,,,\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Mapping{}.compile(false)
		if err != nil {
			t.Fatal(err)
		}
		text := append([]byte("shop,conversation,ts,role,user,text\n"), data...)
		rows, err := newCSVRows(bytes.NewReader(text), c, newRowIDs("fuzz"), testNowUS)
		if err != nil {
			t.Fatal(err)
		}
		checkRows(t, rows, len(data))
	})
}

func FuzzJSONL(f *testing.F) {
	b, err := protojson.Marshal(say("s", "c", 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("{}\n\n[]\n{\"tick\":{}}\n\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkRows(t, newJSONRows(bytes.NewReader(data), newRowIDs("fuzz"), testNowUS), len(data))
	})
}

func FuzzTime(f *testing.F) {
	f.Add("2024-01-02T03:04:05Z", "")
	f.Add("1704164645.5", "unix_s")
	f.Add("99999999999999999999", "unix_us")
	f.Fuzz(func(t *testing.T, s, layout string) {
		p := timeParser{layout: layout, zone: time.UTC}
		if p.check() != nil {
			return
		}
		if us, err := p.parse(s); err == nil && (us > 1<<58 || us < -1<<58) {
			t.Errorf("%q of layout %q: %d", s, layout, us)
		}
	})
}
