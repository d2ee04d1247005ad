package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

type kind int

const (
	kindOther kind = iota // fractions, booleans
	kindWhole             // whole numbers
	kindText              // strings and durations
	kindList
	kindMap
)

// shape is the tree of keys that a settings struct has, read from its defaults as YAML.
type shape struct {
	kind  kind
	names []string
	below map[string]*shape
}

func shapeOf(settings any) (*shape, error) {
	data, err := yaml.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("reading the default settings: %w", err)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the default settings: %w", err)
	}
	root := &shape{kind: kindMap}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			root = shapeOfNode(doc.Body)
		}
	}
	return root, nil
}

func shapeOfNode(node ast.Node) *shape {
	switch n := node.(type) {
	case ast.MapNode:
		s := &shape{kind: kindMap, below: map[string]*shape{}}
		for it := n.MapRange(); it.Next(); {
			name := it.Key().GetToken().Value
			s.names = append(s.names, name)
			s.below[name] = shapeOfNode(it.Value())
		}
		return s
	case *ast.SequenceNode:
		return &shape{kind: kindList}
	case *ast.StringNode, *ast.LiteralNode:
		return &shape{kind: kindText}
	case *ast.IntegerNode:
		return &shape{kind: kindWhole}
	default:
		return &shape{kind: kindOther}
	}
}

// at finds a key by its dotted path, or nil.
func (s *shape) at(path string) *shape {
	for _, name := range strings.Split(path, ".") {
		if s = s.below[name]; s == nil {
			return nil
		}
	}
	return s
}

// unknown is the problem text for a path that is not there: it names the keys that are.
func (s *shape) unknown(path string) string {
	parent := s
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		parent = s.at(path[:i])
	}
	if parent == nil || len(parent.names) == 0 {
		return "is not a key"
	}
	return "is not a key; known here: " + strings.Join(parent.names, ", ")
}

// fraction finds a fraction where a whole number belongs; the YAML library would cut it off in silence.
func (s *shape) fraction(node ast.Node, path string) *Error {
	n, ok := node.(ast.MapNode)
	if !ok {
		return nil
	}
	for it := n.MapRange(); it.Next(); {
		key := it.Key().GetToken()
		below := s.below[key.Value]
		if below == nil {
			continue
		}
		name := join(path, key.Value)
		if value, ok := it.Value().(*ast.FloatNode); ok && below.kind == kindWhole {
			tk := value.GetToken()
			return &Error{Line: tk.Position.Line, Key: name, Problem: fmt.Sprintf("must be a whole number (got %q)", tk.Value)}
		}
		if e := below.fraction(it.Value(), name); e != nil {
			return e
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
