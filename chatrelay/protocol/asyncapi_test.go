package protocol

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/feigeio/feige/schemas"
)

// asyncAPI is what the test reads of schemas/asyncapi.yaml.
type asyncAPI struct {
	Channels map[string]struct {
		Address string
	}
	Components struct {
		Messages map[string]struct {
			Name    string
			Payload struct {
				Properties map[string]any
			}
		}
		Schemas map[string]struct {
			Enum       []string
			Properties map[string]any
		}
	}
}

// constants are the values of the string constants of a type in this package.
func constants(t *testing.T, file, typ string) (values []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == typ {
				text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, text)
			}
		}
		return true
	})
	return values
}

func jsonFields(v any) (names []string) {
	typ := reflect.TypeOf(v)
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// TestAsyncAPI holds the description against the code: every type, field, code, and topic is in it, and nothing else.
func TestAsyncAPI(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../schemas/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var api asyncAPI
	if err := yaml.Unmarshal(data, &api); err != nil {
		t.Fatal(err)
	}
	same := func(what string, got, want []string) {
		t.Helper()
		slices.Sort(got)
		slices.Sort(want)
		got, want = slices.Compact(got), slices.Compact(want)
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %q is not described", what, w)
			}
		}
		for _, g := range got {
			if !slices.Contains(want, g) {
				t.Errorf("%s: %q does not exist", what, g)
			}
		}
	}
	var types, toRelay, fromRelay []string
	for key, m := range api.Components.Messages {
		for field := range m.Payload.Properties {
			if strings.HasPrefix(key, "toRelay") {
				toRelay = append(toRelay, field)
			} else {
				fromRelay = append(fromRelay, field)
			}
		}
		if len(m.Payload.Properties) > 0 {
			types = append(types, m.Name)
		}
	}
	same("types", types, constants(t, "frames.go", "Type"))
	same("fields of requests", toRelay, jsonFields(Request{}))
	same("fields of frames", fromRelay, jsonFields(Frame{}))
	same("codes", api.Components.Schemas["Code"].Enum, constants(t, "codes.go", "Code"))
	for name, v := range map[string]any{"InboxItem": InboxItem{}, "Limits": Limits{}, "Reception": Reception{}, "Sanction": Sanction{}, "Card": Card{}, "Entry": Entry{}} {
		var fields []string
		for f := range api.Components.Schemas[name].Properties {
			fields = append(fields, f)
		}
		same(name, fields, jsonFields(v))
	}
	var addresses, topics []string
	for _, c := range api.Channels {
		if c.Address != "/ws" {
			addresses = append(addresses, c.Address)
		}
	}
	for _, topic := range schemas.Topics() {
		topics = append(topics, topic.Name)
	}
	same("topics", addresses, topics)

	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(constants(t, "codes.go", "Code"), constants(t, "frames.go", "Type")...) {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/protocol.md does not tell of %q", name)
		}
	}
}
