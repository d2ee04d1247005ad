package policy

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// comments of a file, by goccy's paths: $.versions[0].reception.unit.
type comments = yaml.CommentMap

// Render writes one version of the set as a policy file of its own, with the comments of the file
// it came from. Reading it back gives the same policy.
func (s *Set) Render(p *Policy) ([]byte, error) {
	doc := document{TimeZone: s.source.TimeZone, Versions: []versionDoc{s.source.Versions[p.index]}}
	kept := comments{}
	from := fmt.Sprintf("$.versions[%d]", p.index)
	for path, c := range s.comments {
		if rest, ok := strings.CutPrefix(path, from); ok && (rest == "" || rest[0] == '.') {
			kept["$.versions[0]"+rest] = c
		} else if !strings.HasPrefix(path, "$.versions") {
			kept[path] = c
		}
	}
	out, err := yaml.MarshalWithOptions(doc, yaml.WithComment(kept), yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("render policy version %s: %w", p.Version, err)
	}
	return out, nil
}

// comments collects the comments of the source.
func (s *source) comments() comments {
	all := comments{}
	var ignored any
	for _, d := range s.file.Docs {
		// Comments only adorn: a file that is fine otherwise is not refused for them.
		_ = yaml.NodeToValue(d.Body, &ignored, yaml.CommentToMap(all))
	}
	return all
}
