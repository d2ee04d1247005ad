package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// EnvPrefix begins every environment variable that sets a key. "__" separates levels, so that
// FEIGE_KAFKA__CLIENT_ID is kafka.client_id.
const EnvPrefix = "FEIGE_"

// Sources says where values come from besides the defaults.
type Sources struct {
	// File is a path to a YAML file; empty means none.
	File string
	// FileOptional tolerates a File that does not exist.
	FileOptional bool
	// Environ holds "NAME=value" strings as os.Environ returns them.
	Environ []string
	// EnvIgnore names variables with the prefix that are not keys (with the prefix); a last "*" stands for any end.
	EnvIgnore []string
	// Flags are set last, in order.
	Flags []Flag
}

// Flag is one value given on the command line.
type Flag struct {
	// Name as the user typed it, for messages: "--log-level".
	Name string
	// Key is the dotted path, "log.level".
	Key string
	// Value is YAML; a plain list may be written with commas.
	Value string
}

// Load fills into, a pointer to a struct that holds the defaults. Errors are *Error.
func Load(into any, from Sources) error {
	known, err := shapeOf(into)
	if err != nil {
		return err
	}
	if err := loadFile(into, known, from); err != nil {
		return err
	}
	for _, flag := range environment(from) {
		if err := set(into, known, flag); err != nil {
			return err
		}
	}
	for _, flag := range from.Flags {
		if err := set(into, known, flag); err != nil {
			return err
		}
	}
	return nil
}

func loadFile(into any, known *shape, from Sources) error {
	if from.File == "" {
		return nil
	}
	data, err := os.ReadFile(from.File)
	if errors.Is(err, fs.ErrNotExist) && from.FileOptional {
		return nil
	}
	if err != nil {
		return &Error{Source: from.File, Problem: "cannot be read: " + plainCause(err)}
	}
	return decode(into, known, from.File, data)
}

// environment turns the variables with the prefix into flags, sorted by name so that errors are the same each time.
func environment(from Sources) []Flag {
	var flags []Flag
	for _, pair := range from.Environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, EnvPrefix) || ignored(from.EnvIgnore, name) {
			continue
		}
		key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, EnvPrefix), "__", "."))
		flags = append(flags, Flag{Name: name, Key: key, Value: value})
	}
	sort.Slice(flags, func(i, j int) bool { return flags[i].Name < flags[j].Name })
	return flags
}

func ignored(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		begin, any := strings.CutSuffix(pattern, "*")
		return name == pattern || any && strings.HasPrefix(name, begin)
	})
}

// set decodes one value as a document that holds only it.
func set(into any, known *shape, flag Flag) error {
	here := known.at(flag.Key)
	if here == nil {
		return &Error{Source: flag.Name, Key: flag.Key, Problem: known.unknown(flag.Key)}
	}
	value := flag.Value
	switch here.kind {
	case kindText:
		value = quote(value)
	case kindList:
		if !strings.HasPrefix(strings.TrimSpace(value), "[") {
			value = list(value)
		}
	case kindMap:
		if !strings.HasPrefix(strings.TrimSpace(value), "{") {
			return &Error{Source: flag.Name, Key: flag.Key, Problem: fmt.Sprintf("is a group of keys, not a value (got %q)", flag.Value)}
		}
	case kindWhole, kindOther:
		if strings.TrimSpace(value) == "" {
			return &Error{Source: flag.Name, Key: flag.Key, Problem: "has an empty value"}
		}
	}
	err := decode(into, known, flag.Name, []byte(nest(strings.Split(flag.Key, "."), value)))
	var e *Error
	if errors.As(err, &e) {
		e.Line = 0
		if e.Key == "" {
			e.Key = flag.Key
		}
	}
	return err
}

func list(value string) string {
	if strings.TrimSpace(value) == "" {
		return "[]"
	}
	parts := strings.Split(value, ",")
	for i, part := range parts {
		parts[i] = quote(strings.TrimSpace(part))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// quote writes a YAML double-quoted scalar; JSON's escapes are a subset of YAML's.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s) + `"`
}

func decode(into any, known *shape, source string, data []byte) error {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return describe(err, source, nil, known)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType {
			continue
		}
		if _, ok := doc.Body.(ast.MapNode); !ok {
			return &Error{Source: source, Line: doc.Body.GetToken().Position.Line, Problem: "must be keys and values (key: value)"}
		}
		if e := known.fraction(doc.Body, ""); e != nil {
			e.Source = source
			return e
		}
		if err := decodeNode(doc.Body, into); err != nil {
			return describe(locate(err, doc.Body, into), source, doc.Body, known)
		}
	}
	return nil
}

func decodeNode(node ast.Node, into any) error {
	return yaml.NewDecoder(strings.NewReader(""), yaml.Strict()).DecodeFromNode(node, into)
}

// misfit is a decoding error that came without a position, put at the value that causes it.
type misfit struct {
	cause error
	value ast.Node
}

func (m *misfit) Error() string { return m.cause.Error() }

// locate finds the value behind an error that does not say where it is (durations do not), by decoding
// each value alone.
func locate(err error, root ast.Node, into any) error {
	var positioned yaml.Error
	if errors.As(err, &positioned) {
		return err
	}
	var found ast.Node
	var try func(node ast.Node, levels []string)
	try = func(node ast.Node, levels []string) {
		if n, ok := node.(ast.MapNode); ok {
			for it := n.MapRange(); it.Next() && found == nil; {
				try(it.Value(), append(levels[:len(levels):len(levels)], it.Key().GetToken().Value))
			}
			return
		}
		if found != nil {
			return
		}
		file, parseErr := parser.ParseBytes([]byte(nest(levels, node.String())), 0)
		if parseErr != nil || len(file.Docs) == 0 {
			return
		}
		scratch := reflect.New(reflect.TypeOf(into).Elem()).Interface()
		if decodeNode(file.Docs[0].Body, scratch) != nil {
			found = node
		}
	}
	try(root, nil)
	if found == nil {
		return err
	}
	return &misfit{cause: err, value: found}
}

// nest writes a document that holds one value under its keys.
func nest(levels []string, value string) string {
	var doc strings.Builder
	for i, level := range levels {
		if i > 0 {
			doc.WriteString("\n" + strings.Repeat("  ", i))
		}
		doc.WriteString(level + ":")
	}
	return doc.String() + " " + value + "\n"
}

// plainCause drops the path that an *fs.PathError repeats.
func plainCause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
