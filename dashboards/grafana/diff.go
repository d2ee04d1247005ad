package grafana

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// differences lists where got is not as wanted, one line a place. Where exact is false, what only got has is
// left alone (Grafana adds fields of its own).
func differences(wanted, got any, exact bool) []string {
	var out []string
	compare("", normal(wanted), normal(got), exact, &out)
	return out
}

// normal is a value as JSON sees it.
func normal(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		return string(data)
	}
	return out
}

// redacted is what Grafana shows of a secret.
const redacted = "[REDACTED]"

func compare(path string, wanted, got any, exact bool, out *[]string) {
	switch w := wanted.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(w)) {
			value, there := g[key]
			if !there && w[key] != nil {
				*out = append(*out, fmt.Sprintf("%s: missing, want %s", join(path, key), short(w[key])))
				continue
			}
			compare(join(path, key), w[key], value, exact, out)
		}
		for _, key := range slices.Sorted(maps.Keys(g)) {
			if _, there := w[key]; !there && exact {
				*out = append(*out, fmt.Sprintf("%s: %s, want none", join(path, key), short(g[key])))
			}
		}
		return
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		for i := range max(len(w), len(g)) {
			at := fmt.Sprintf("%s[%d]", path, i)
			switch {
			case i >= len(g):
				*out = append(*out, fmt.Sprintf("%s: missing, want %s", at, short(w[i])))
			case i >= len(w):
				*out = append(*out, fmt.Sprintf("%s: %s, want none", at, short(g[i])))
			default:
				compare(at, w[i], g[i], exact, out)
			}
		}
		return
	default:
		if wanted == got || got == redacted {
			return
		}
	}
	*out = append(*out, fmt.Sprintf("%s: %s, want %s", path, short(got), short(wanted)))
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func short(v any) string {
	data, _ := json.Marshal(v)
	text := string(data)
	if len(text) > 80 {
		text = strings.ToValidUTF8(text[:77], "") + "…"
	}
	return text
}
