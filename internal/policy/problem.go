package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a policy file. Its text is one line.
type Problem struct {
	// File as it was named by the caller.
	File string
	// Line in the file, from 1; 0 where it is not known.
	Line int
	// Path of the key: versions[0].assessment.assessed_time[1]. Empty for the file as a whole.
	Path string
	// What is wrong and what is allowed.
	What string
}

func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	b.WriteString(p.What)
	return b.String()
}

// Problems are all that was found wrong, in the order of the file. Their text is one line each.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a Problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// maxProblems is how many problems are told at once.
const maxProblems = 20

// err is nil without problems. It sorts by line.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if c := cmp.Compare(a.Line, b.Line); c != 0 {
			return c
		}
		return cmp.Compare(a.Path, b.Path)
	})
	ps = slices.Compact(ps)
	if n := len(ps) - maxProblems; n > 0 {
		last := ps[maxProblems]
		ps = append(ps[:maxProblems:maxProblems], Problem{File: last.File, Line: last.Line, What: fmt.Sprintf("and %d more problems from here on", n)})
	}
	return ps
}

// shown is a value as an error shows it: one line, not too long.
func shown(v any) string {
	s := fmt.Sprint(v)
	if text, ok := v.(string); ok {
		s = fmt.Sprintf("%q", text)
	}
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(s)
}
