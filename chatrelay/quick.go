package chatrelay

import (
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// quickReplies are texts that agents send at a keystroke, by shop.
type quickReplies struct {
	// Default is for shops without their own.
	Default []string            `yaml:"default"`
	Shops   map[string][]string `yaml:"shops"`
}

func (q quickReplies) of(shop string) []string {
	if own, ok := q.Shops[shop]; ok {
		return own
	}
	return q.Default
}

func loadQuickReplies(path string) (quickReplies, error) {
	var q quickReplies
	if path == "" {
		return q, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return q, fmt.Errorf("read quick replies: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(data, &q, yaml.Strict()); err != nil {
		return q, fmt.Errorf("quick replies in %s: want default: [texts] and shops: {shop: [texts]}: %w", path, err)
	}
	return q, nil
}
