package normal

import (
	"fmt"
	"strings"
)

// split is a character typed in parts.
type split struct {
	rest          []rune // after the first part
	whole         rune
	before, after string // what makes it two words after all
}

func parseSplits(table string) (map[rune][]split, error) {
	splits := make(map[rune][]split)
	for i, line := range strings.Split(table, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) < 2 {
			return nil, fmt.Errorf("table of split characters, line %d: want the parts, a tab, and the character", i+1)
		}
		parts, whole := []rune(fields[0]), []rune(fields[1])
		if len(parts) < 2 || len(whole) != 1 {
			return nil, fmt.Errorf("table of split characters, line %d: want two parts or more of one character", i+1)
		}
		s := split{rest: parts[1:], whole: whole[0]}
		for _, f := range fields[2:] {
			if rest, ok := strings.CutPrefix(f, "<"); ok {
				s.before = rest
			} else if rest, ok := strings.CutPrefix(f, ">"); ok {
				s.after = rest
			} else if f != "" {
				return nil, fmt.Errorf("table of split characters, line %d: %q: want <before or >after", i+1, f)
			}
		}
		// Longer ones come first.
		list := splits[parts[0]]
		at := 0
		for at < len(list) && len(list[at].rest) >= len(s.rest) {
			at++
		}
		list = append(list, split{})
		copy(list[at+1:], list[at:])
		list[at] = s
		splits[parts[0]] = list
	}
	return splits, nil
}

// joinSplits puts characters that were typed in parts together, in place.
func (n *Normaliser) joinSplits(t *Text) {
	out := 0
	for i := 0; i < len(t.Runes); {
		s, ok := n.splitAt(t.Runes, i)
		if !ok {
			t.move(out, i, i+1)
			out, i = out+1, i+1
			continue
		}
		end := i + 1 + len(s.rest)
		t.move(out, i, end)
		e := n.lookup(s.whole)
		t.Runes[out], t.Classes[out], t.digits[out] = s.whole, e.class, e.digit
		out, i = out+1, end
	}
	t.truncate(out)
}

func (n *Normaliser) splitAt(runes []rune, i int) (split, bool) {
	for _, s := range n.splits[runes[i]] {
		if i+1+len(s.rest) > len(runes) {
			continue
		}
		match := true
		for k, r := range s.rest {
			if runes[i+1+k] != r {
				match = false
				break
			}
		}
		if !match || i > 0 && strings.ContainsRune(s.before, runes[i-1]) {
			continue
		}
		if end := i + 1 + len(s.rest); end < len(runes) && strings.ContainsRune(s.after, runes[end]) {
			continue
		}
		return s, true
	}
	return split{}, false
}
