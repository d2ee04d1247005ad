package policy

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

//go:embed schema.json
var schemaJSON []byte

// SchemaJSON is the JSON Schema of a policy file. The slice is the caller's.
func SchemaJSON() []byte { return bytes.Clone(schemaJSON) }

const schemaName = "schema.json"

// compiled is the schema, ready to validate, and its text as values.
type compiled struct {
	schema *jsonschema.Schema
	text   any
}

var loadSchema = sync.OnceValues(func() (compiled, error) {
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return compiled{}, fmt.Errorf("schema of the policy: %w", err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaName, text); err != nil {
		return compiled{}, fmt.Errorf("schema of the policy: %w", err)
	}
	schema, err := c.Compile(schemaName)
	if err != nil {
		return compiled{}, fmt.Errorf("schema of the policy: %w", err)
	}
	return compiled{schema, text}, nil
})

// validate checks the source against the schema.
func (s *source) validate() error {
	c, err := loadSchema()
	if err != nil {
		return err
	}
	err = c.schema.Validate(s.value)
	var invalid *jsonschema.ValidationError
	if err == nil || !errors.As(err, &invalid) {
		return err
	}
	var problems Problems
	s.collect(c, invalid, &problems)
	return problems.err()
}

// collect turns the leaves of a validation error into problems.
func (s *source) collect(c compiled, e *jsonschema.ValidationError, problems *Problems) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			s.collect(c, cause, problems)
		}
		return
	}
	path, value := s.locate(e.InstanceLocation)
	rule := c.at(e.SchemaURL)
	want := wanted(rule)
	add := func(path, format string, args ...any) {
		*problems = append(*problems, s.problem(path, format, args...))
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		known := "known here: " + strings.Join(keysOf(rule), ", ")
		if rule["patternProperties"] != nil {
			known = "want a name of small letters, digits, _ and -"
		}
		for _, key := range k.Properties {
			add(join(path, key), "unknown key; %s", known)
		}
	case *kind.Required:
		for _, key := range k.Missing {
			add(join(path, key), "is missing; want %s", wanted(c.property(rule, key)))
		}
	case *kind.UniqueItems:
		add(fmt.Sprintf("%s[%d]", path, k.Duplicates[1]), "repeats item %d; every one may stand once", k.Duplicates[0])
	case *kind.MinItems:
		add(path, "has %d items; want at least %d: %s", k.Got, k.Want, want)
	case *kind.MaxItems:
		add(path, "has %d items; want at most %d", k.Got, k.Want)
	case *kind.MinProperties:
		add(path, "is empty; want %s", want)
	case *kind.MaxProperties:
		add(path, "has %d keys; want at most %d", k.Got, k.Want)
	case *kind.Type:
		if value == nil {
			add(path, "is empty; want %s", want)
			break
		}
		add(path, "is %s; want %s", typed(k.Got, value), want)
	default:
		if value == nil {
			add(path, "is empty; want %s", want)
			break
		}
		add(path, "is %s; want %s", typed("", value), want)
	}
}

// typed shows a value, with its type when that is the problem.
func typed(got string, value any) string {
	switch value.(type) {
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	}
	switch got {
	case "number", "integer":
		return fmt.Sprintf("the number %s", shown(value))
	case "string":
		return fmt.Sprintf("the text %s", shown(value))
	case "boolean":
		return fmt.Sprintf("the truth value %s", shown(value))
	}
	return shown(value)
}

// locate gives the key path and the value of an instance location.
func (s *source) locate(location []string) (string, any) {
	path, value := "", s.value
	for _, token := range location {
		switch v := value.(type) {
		case map[string]any:
			path, value = join(path, token), v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return path, nil
			}
			path, value = fmt.Sprintf("%s[%d]", path, i), v[i]
		default:
			return path, nil
		}
	}
	return path, value
}

// at is the part of the schema that a URL's fragment points to.
func (c compiled) at(url string) map[string]any {
	_, fragment, _ := strings.Cut(url, "#")
	node := c.text
	for token := range strings.SplitSeq(strings.TrimPrefix(fragment, "/"), "/") {
		if token == "" {
			continue
		}
		m, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		node = m[token]
	}
	m, _ := node.(map[string]any)
	return m
}

// property is the rule for a key of a mapping, references followed.
func (c compiled) property(rule map[string]any, key string) map[string]any {
	all, _ := rule["properties"].(map[string]any)
	p, _ := all[key].(map[string]any)
	if ref, ok := p["$ref"].(string); ok {
		return c.at(ref)
	}
	return p
}

func keysOf(rule map[string]any) []string {
	// "required" keeps the order of the schema, and every key is required.
	var keys []string
	list, _ := rule["required"].([]any)
	for _, k := range list {
		if s, ok := k.(string); ok {
			keys = append(keys, s)
		}
	}
	all, _ := rule["properties"].(map[string]any)
	for _, k := range sortedKeys(all) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// wanted is what a rule says it allows.
func wanted(rule map[string]any) string {
	if d, ok := rule["description"].(string); ok {
		return d
	}
	text, _ := json.Marshal(rule)
	return string(text)
}
