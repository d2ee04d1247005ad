package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Error says what is wrong with which key of which source, in one line.
type Error struct {
	// Source is a file, an environment variable, or a flag.
	Source string
	// Line within the file, from 1; 0 where there is none.
	Line int
	// Key is the dotted path; empty when the source as a whole is at fault.
	Key string
	// Problem completes the sentence "KEY …".
	Problem string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Source)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + " ")
	}
	b.WriteString(e.Problem)
	return b.String()
}

// describe makes an *Error of what the YAML library reports.
func describe(err error, source string, root ast.Node, known *shape) error {
	e := &Error{Source: source}
	at := func(tk *token.Token) string {
		if tk == nil || tk.Position == nil {
			return ""
		}
		e.Line = tk.Position.Line
		e.Key = pathOf(root, tk)
		return tk.Value
	}
	var (
		syntax    *yaml.SyntaxError
		wrongType *yaml.TypeError
		overflow  *yaml.OverflowError
		duplicate *yaml.DuplicateKeyError
		unknown   *yaml.UnknownFieldError
		wrongNode *yaml.UnexpectedNodeTypeError
		located   *misfit
	)
	switch {
	case errors.As(err, &unknown):
		at(unknown.Token)
		e.Problem = known.unknown(e.Key)
	case errors.As(err, &wrongType):
		value := at(wrongType.Token)
		e.Problem = fmt.Sprintf("must be %s (got %q)", expectation(wrongType.DstType.String()), value)
	case errors.As(err, &overflow):
		at(overflow.Token)
		e.Problem = fmt.Sprintf("must be %s (got %s, which does not fit)", expectation(overflow.DstType.String()), overflow.SrcNum)
	case errors.As(err, &duplicate):
		at(duplicate.Token)
		e.Problem = "is given twice"
	case errors.As(err, &wrongNode):
		value := at(wrongNode.Token)
		e.Problem = fmt.Sprintf("must be %s (got %q)", nodeName(wrongNode.Expected), value)
	case errors.As(err, &located):
		value := at(located.value.GetToken())
		e.Problem = fmt.Sprintf("has a bad value %q: %s", value, firstLine(err.Error()))
		if strings.HasPrefix(err.Error(), "time: ") {
			e.Problem = fmt.Sprintf("must be %s (got %q)", expectation("time.Duration"), value)
		}
	case errors.As(err, &syntax) && strings.Contains(syntax.Message, "already defined"):
		e.Problem = fmt.Sprintf("%s is given twice", at(syntax.Token))
		e.Key = ""
	case errors.As(err, &syntax):
		at(syntax.Token)
		e.Key = ""
		e.Problem = "is not YAML: " + firstLine(syntax.Message)
	default:
		var positioned yaml.Error
		if errors.As(err, &positioned) {
			value := at(positioned.GetToken())
			e.Problem = fmt.Sprintf("has a bad value %q: %s", value, firstLine(positioned.GetMessage()))
		} else {
			e.Problem = "has a bad value: " + firstLine(err.Error())
		}
	}
	return e
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

func expectation(goType string) string {
	switch goType = strings.TrimPrefix(goType, "*"); {
	case goType == "time.Duration":
		return `a duration such as "30s" or "5m"`
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "uint"):
		return "a whole number from 0"
	case strings.HasPrefix(goType, "int"):
		return "a whole number"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	case goType == "string":
		return "text"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "map["):
		return "keys and values"
	default:
		return "of another type"
	}
}

func nodeName(t ast.NodeType) string {
	switch t {
	case ast.MappingType, ast.MappingValueType:
		return "a group of keys"
	case ast.SequenceType:
		return "a list"
	default:
		return strings.ToLower(t.YAMLName())
	}
}

// pathOf finds the dotted key whose key or value token stands at tk.
func pathOf(root ast.Node, tk *token.Token) string {
	var best string
	var walk func(node ast.Node, path string)
	walk = func(node ast.Node, path string) {
		if node == nil {
			return
		}
		switch n := node.(type) {
		case ast.MapNode:
			for it := n.MapRange(); it.Next(); {
				key := it.Key().GetToken()
				below := join(path, key.Value)
				if same(key, tk) {
					best = below
				}
				walk(it.Value(), below)
			}
		case *ast.SequenceNode:
			for i, value := range n.Values {
				walk(value, fmt.Sprintf("%s[%d]", path, i))
			}
		}
		if same(node.GetToken(), tk) && best == "" {
			best = path
		}
	}
	walk(root, "")
	return best
}

func same(a, b *token.Token) bool {
	return a != nil && b != nil && a.Position != nil && b.Position != nil && a.Position.Offset == b.Position.Offset
}
