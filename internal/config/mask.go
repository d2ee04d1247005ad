package config

import (
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// masked stands for a secret that is set.
const masked = "(secret)"

// secretKey matches the names of keys whose values are never shown.
var secretKey = regexp.MustCompile(`(^|_)(password|secret|token|private_key)$`)

// Show is the settings as YAML, with every secret that is set replaced by "(secret)".
func Show(settings any) (string, error) {
	data, err := yaml.MarshalWithOptions(settings, yaml.IndentSequence(true))
	if err != nil {
		return "", fmt.Errorf("showing the configuration: %w", err)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return "", fmt.Errorf("showing the configuration: %w", err)
	}
	for _, doc := range file.Docs {
		ast.Walk(maskVisitor{}, doc)
	}
	return file.String(), nil
}

type maskVisitor struct{}

func (v maskVisitor) Visit(node ast.Node) ast.Visitor {
	pair, ok := node.(*ast.MappingValueNode)
	if !ok || !secretKey.MatchString(pair.Key.GetToken().Value) {
		return v
	}
	if text, ok := pair.Value.(*ast.StringNode); ok {
		if text.Value != "" {
			text.Value = masked
		}
		return nil
	}
	return v
}
