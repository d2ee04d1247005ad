package lexicon

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed packs/*.txt
var embedded embed.FS

// Term is an entry of a pack.
type Term struct {
	Pack       string
	Category   string
	Kind       string
	Confidence float64
	Text       string
	options    string
	pack       int // in its lexicon
}

// Pack is one file of terms.
type Pack struct {
	Name, Version, Category string
	Terms                   []Term
	Allow                   []string
	digest                  string
}

// allowCategory marks words that hold a term but are none.
const allowCategory = "allow"

// gapMark parts the terms of a sequence.
const gapMark = "…"

// ParsePack reads a pack. Errors name file and line.
func ParsePack(file string, data []byte) (*Pack, error) {
	sum := sha256.Sum256(data)
	p := &Pack{digest: hex.EncodeToString(sum[:4])}
	section := ""
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimRight(line, " \r\t")
		if line == "" || line[0] == '#' {
			continue
		}
		bad := func(format string, args ...any) error {
			return fmt.Errorf("word pack %s:%d: %s", file, i+1, fmt.Sprintf(format, args...))
		}
		if line[0] == '[' {
			if section = line; section != "[terms]" && section != "[allow]" {
				return nil, bad("section %s: want [terms] or [allow]", line)
			}
			continue
		}
		switch section {
		case "":
			key, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			switch key {
			case "name":
				p.Name = value
			case "version":
				p.Version = value
			case "category":
				p.Category = value
			case "source", "licence":
			default:
				return nil, bad("key %q: want name, version, category, source, or licence", key)
			}
		case "[allow]":
			p.Allow = append(p.Allow, line)
		default:
			term, err := p.parseTerm(line)
			if err != nil {
				return nil, bad("%v", err)
			}
			p.Terms = append(p.Terms, term)
		}
	}
	if p.Name == "" || p.Version == "" || p.Category == "" {
		return nil, fmt.Errorf("word pack %s: want name, version, and category above [terms]", file)
	}
	for i := range p.Terms {
		p.Terms[i].Pack = p.Name
	}
	return p, nil
}

func (p *Pack) parseTerm(line string) (Term, error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 3 || len(fields) > 4 {
		return Term{}, fmt.Errorf("%q: want term, kind, confidence, and options, parted by tabs", line)
	}
	confidence, err := strconv.ParseFloat(fields[2], 64)
	if err != nil || !(confidence >= 0 && confidence <= 1) {
		return Term{}, fmt.Errorf("confidence %q: want a number from 0 to 1", fields[2])
	}
	t := Term{Category: p.Category, Kind: fields[1], Confidence: confidence, Text: fields[0]}
	if category, kind, ok := strings.Cut(t.Kind, "/"); ok {
		t.Category, t.Kind = category, kind
	}
	if len(fields) == 4 {
		t.options = fields[3]
	}
	if i := strings.IndexFunc(t.options, func(r rune) bool { return !strings.ContainsRune("~=<>", r) }); i >= 0 {
		return Term{}, fmt.Errorf("options %q: want of ~ = < >", t.options)
	}
	if strings.Trim(t.Text, gapMark+" ") == "" {
		return Term{}, fmt.Errorf("term %q is empty", t.Text)
	}
	return t, nil
}

// Embedded are the packs that the product brings along.
func Embedded() ([]*Pack, error) { return LoadDir(embedded, "packs") }

// LoadDir reads the packs (*.txt) of a directory.
func LoadDir(files fs.FS, dir string) ([]*Pack, error) {
	names, err := fs.Glob(files, strings.TrimPrefix(dir+"/*.txt", "./"))
	if err != nil {
		return nil, fmt.Errorf("listing word packs in %s: %w", dir, err)
	}
	packs := make([]*Pack, 0, len(names))
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("reading word pack %s: %w", name, err)
		}
		p, err := ParsePack(name, data)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(packs, func(q *Pack) bool { return q.Name == p.Name }); i >= 0 {
			return nil, fmt.Errorf("word pack %s: name %s is taken by another file", name, p.Name)
		}
		packs = append(packs, p)
	}
	return packs, nil
}

// Override is the packs of base, those replaced that have the name of one of over, and the rest of over.
func Override(base, over []*Pack) []*Pack {
	packs := slices.Clone(base)
	for _, p := range over {
		if i := slices.IndexFunc(packs, func(q *Pack) bool { return q.Name == p.Name }); i >= 0 {
			packs[i] = p
			continue
		}
		packs = append(packs, p)
	}
	return packs
}
