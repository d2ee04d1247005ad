package statement

import "strings"

// Shape is a statement without what stands in its strings and numbers, comments, and needless space: what was asked, and
// nothing of what it was compared with.
func Shape(text string) (string, error) {
	var out strings.Builder
	last := -1
	for l := NewLexer(text); ; {
		t, err := l.Next()
		if err != nil {
			return "", err
		}
		if t.Kind == End {
			return out.String(), nil
		}
		if last >= 0 && last < t.Start {
			out.WriteByte(' ')
		}
		last = t.End
		switch t.Kind {
		case String:
			out.WriteString("'?'")
		case Number:
			out.WriteByte('?')
		default:
			out.WriteString(text[t.Start:t.End])
		}
	}
}
