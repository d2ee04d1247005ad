package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxBytes bounds a policy file.
const maxBytes = 1 << 20

const tooLong = "is longer than 1 MiB; a policy of one version has about 12 KiB"

// source is a policy file as plain values, with the line of each.
type source struct {
	name  string
	value any            // map[string]any, []any, string, bool, int64, uint64, float64, nil
	lines map[string]int // by key path
	file  *ast.File
}

// readSource parses YAML. Of YAML it takes what JSON has, and comments: a version is whole, so there
// are no anchors, aliases, merges, or tags.
func readSource(name string, data []byte) (*source, error) {
	fail := func(line int, format string, args ...any) (*source, error) {
		return nil, Problem{File: name, Line: line, What: fmt.Sprintf(format, args...)}
	}
	if len(data) > maxBytes {
		return fail(0, tooLong)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return fail(1+bytes.Count(data[:firstInvalid(data)], []byte("\n")), "is not UTF-8")
	}
	if line := tooDeep(data); line > 0 {
		return fail(line, "nests too deep; a policy has no more than %d levels", maxDepth)
	}
	file, err := parser.ParseBytes(data, parser.ParseComments, parser.AllowDuplicateMapKey())
	if err != nil {
		line, what := 0, err.Error()
		var syntax yaml.Error
		if errors.As(err, &syntax) {
			what = syntax.GetMessage()
			if t := syntax.GetToken(); t != nil && t.Position != nil {
				line = t.Position.Line
			}
		}
		what, _, _ = strings.Cut(what, "\n")
		return fail(line, "is not YAML: %s", what)
	}
	s := &source{name: name, lines: map[string]int{}, file: file}
	var body ast.Node
	for _, d := range file.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			return fail(lineOf(d.Body), "holds a second YAML document; a policy is one, with its versions in a list")
		}
		body = d.Body
	}
	if body == nil {
		return fail(0, "is empty; want time_zone and versions")
	}
	var problems Problems
	s.value = s.plain(body, "", &problems)
	return s, problems.err()
}

// plain turns a node into a plain value and notes its line.
func (s *source) plain(node ast.Node, path string, problems *Problems) any {
	if _, known := s.lines[path]; !known {
		s.lines[path] = lineOf(node)
	}
	refuse := func(n ast.Node, path, what string) {
		*problems = append(*problems, Problem{File: s.name, Line: lineOf(n), Path: path, What: what})
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		m := make(map[string]any, len(n.Values))
		for _, v := range n.Values {
			s.pair(v, path, m, refuse, problems)
		}
		return m
	case *ast.MappingValueNode:
		m := make(map[string]any, 1)
		s.pair(n, path, m, refuse, problems)
		return m
	case *ast.SequenceNode:
		list := make([]any, 0, len(n.Values))
		for i, v := range n.Values {
			list = append(list, s.plain(v, fmt.Sprintf("%s[%d]", path, i), problems))
		}
		return list
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.FloatNode:
		if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) {
			refuse(n, path, "is not a finite number")
		}
		return n.Value
	case *ast.InfinityNode, *ast.NanNode:
		refuse(n, path, "is not a finite number")
	case *ast.NullNode, *ast.CommentGroupNode, nil:
		return nil
	case *ast.AnchorNode, *ast.AliasNode:
		refuse(n, path, "anchors and aliases are not allowed; a version is written out whole")
	case *ast.TagNode:
		refuse(n, path, "tags are not allowed")
	default:
		refuse(n, path, "is YAML that a policy has no use for")
	}
	return nil
}

// pair adds one key with its value to a mapping.
func (s *source) pair(v *ast.MappingValueNode, path string, m map[string]any,
	refuse func(n ast.Node, path, what string), problems *Problems,
) {
	var key string
	switch k := v.Key.(type) {
	case *ast.StringNode:
		key = k.Value
	case *ast.MergeKeyNode:
		refuse(k, path, "merging (<<) is not allowed; a version is written out whole")
		return
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		key = k.GetToken().Value
	default:
		refuse(v, path, "keys are plain names")
		return
	}
	at := join(path, key)
	if _, twice := m[key]; twice {
		refuse(v.Key, at, fmt.Sprintf("is there twice, first on line %d", s.lines[at]))
		return
	}
	s.lines[at] = lineOf(v.Key)
	m[key] = s.plain(v.Value, at, problems)
}

// decode turns the validated values into the document.
func (s *source) decode() (document, error) {
	var doc document
	text, err := json.Marshal(s.value)
	if err != nil {
		return doc, Problem{File: s.name, What: fmt.Sprintf("cannot be read: %v", err)}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return doc, Problem{File: s.name, What: fmt.Sprintf("cannot be read: %v", err)}
	}
	return doc, nil
}

// line of the key, or of the nearest one around it.
func (s *source) line(path string) int {
	for {
		if n, ok := s.lines[path]; ok {
			return n
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return s.lines[""]
		}
		path = path[:i]
	}
}

func (s *source) problem(path, format string, args ...any) Problem {
	return Problem{File: s.name, Line: s.line(path), Path: path, What: fmt.Sprintf(format, args...)}
}

// join makes the path of a key. A key that is not a plain name is quoted, so that the path stays one line.
func join(path, key string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if key == "" || strings.Trim(key, plain) != "" {
		key = shown(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func lineOf(n ast.Node) int {
	if n == nil {
		return 0
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// maxDepth bounds nesting, so that a hostile file cannot exhaust the parser's stack.
const maxDepth = 32

// tooDeep gives the line at which brackets, or list marks in a row, nest deeper than maxDepth; 0: nowhere.
// It does not look into comments.
func tooDeep(data []byte) int {
	open, number := 0, 0
	for line := range bytes.Lines(data) {
		number++
		marks, quoted := 0, false
	scan:
		for i, b := range line {
			blankBefore := i == 0 || line[i-1] == ' ' || line[i-1] == '\t'
			switch b {
			case '#':
				if blankBefore && !quoted {
					break scan
				}
				marks = 0
			case '[', '{':
				open++
			case ']', '}':
				open = max(open-1, 0)
			case '-', '?':
				if blankBefore {
					marks++
				}
			case ' ', '\t':
			case '"', '\'':
				quoted, marks = true, 0
			default:
				marks = 0
			}
			if open > maxDepth || marks > maxDepth {
				return number
			}
		}
	}
	return 0
}
