package bot

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/goccy/go-yaml"
)

//go:embed default.yaml
var builtIn []byte

// Bounds of a list.
const (
	maxFile      = 4 << 20
	maxEntries   = 5000
	maxQuestions = 50
	maxAnswer    = 4096 // bytes
	maxQuery     = 512  // runes of a message that are looked at
)

// List is a shop's questions and answers, or those of all shops without one of their own.
type List struct {
	// Shop whose list this is; empty: all others'.
	Shop string `yaml:"shop"`
	// Fallback is said when nothing fits.
	Fallback string `yaml:"fallback"`
	// Coming is said with every answer: that a human will answer.
	Coming  string  `yaml:"coming"`
	Entries []Entry `yaml:"entries"`

	index   bleve.Index
	mapping *mapping.IndexMappingImpl
	// terms of each question, by document id.
	terms map[string]wording
}

// Entry is one answer and the ways in which it is asked for.
type Entry struct {
	ID        string   `yaml:"id"`
	Questions []string `yaml:"questions"`
	Answer    string   `yaml:"answer"`
}

type wording struct {
	entry int
	terms map[string]bool
}

// ParseList reads one file. The error names the file and what is wrong where.
func ParseList(name string, data []byte) (*List, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: %d bytes, at most %d", name, len(data), maxFile)
	}
	var l List
	if err := yaml.UnmarshalWithOptions(data, &l, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " "))
	}
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &l, l.build()
}

func (l *List) check() error {
	if l.Fallback == "" || l.Coming == "" {
		return errors.New("fallback and coming must say something")
	}
	if len(l.Entries) > maxEntries {
		return fmt.Errorf("entries: %d, at most %d", len(l.Entries), maxEntries)
	}
	for key, text := range map[string]string{"fallback": l.Fallback, "coming": l.Coming} {
		if len(text) > maxAnswer {
			return fmt.Errorf("%s: %d bytes, at most %d", key, len(text), maxAnswer)
		}
	}
	seen := map[string]int{}
	for i, e := range l.Entries {
		switch {
		case e.ID == "":
			return fmt.Errorf("entries[%d].id is empty", i)
		case seen[e.ID] > 0:
			return fmt.Errorf("entries[%d].id: %q is that of entries[%d] as well", i, e.ID, seen[e.ID]-1)
		case strings.TrimSpace(e.Answer) == "" || len(e.Answer) > maxAnswer:
			return fmt.Errorf("entries[%d].answer (%s): %d bytes, want 1 to %d", i, e.ID, len(e.Answer), maxAnswer)
		case len(e.Questions) == 0 || len(e.Questions) > maxQuestions:
			return fmt.Errorf("entries[%d].questions (%s): %d, want 1 to %d", i, e.ID, len(e.Questions), maxQuestions)
		}
		seen[e.ID] = i + 1
		for j, q := range e.Questions {
			if n := utf8.RuneCountInString(q); n == 0 || n > maxQuery {
				return fmt.Errorf("entries[%d].questions[%d] (%s): %d characters, want 1 to %d", i, j, e.ID, n, maxQuery)
			}
		}
	}
	return nil
}

func (l *List) build() error {
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = cjk.AnalyzerName
	index, err := bleve.NewMemOnly(m)
	if err != nil {
		return fmt.Errorf("index of questions: %w", err)
	}
	l.index, l.mapping, l.terms = index, m, map[string]wording{}
	batch := index.NewBatch()
	for i, e := range l.Entries {
		for j, q := range e.Questions {
			id := fmt.Sprintf("%d.%d", i, j)
			if err := batch.Index(id, map[string]string{"q": q}); err != nil {
				return fmt.Errorf("index of questions: %w", err)
			}
			l.terms[id] = wording{i, termsOf(m, q)}
		}
	}
	if err := index.Batch(batch); err != nil {
		return fmt.Errorf("index of questions: %w", err)
	}
	return nil
}

// close frees the index, which bleve keeps in a table of its own.
func (l *List) close() { _ = l.index.Close() } // it is in memory

// termsOf are the words of a text: Latin words and numbers, and pairs of Han characters.
func termsOf(m *mapping.IndexMappingImpl, text string) map[string]bool {
	terms := map[string]bool{}
	tokens, err := m.AnalyzeText(cjk.AnalyzerName, []byte(text))
	if err != nil {
		return terms // the analyser is built in
	}
	for _, t := range tokens {
		terms[string(t.Term)] = true
	}
	return terms
}

// Find returns the entry that fits a message best, or nil when none covers enough of it.
func (l *List) Find(text string, coverage float64) *Entry {
	if runes := []rune(text); len(runes) > maxQuery {
		text = string(runes[:maxQuery])
	}
	asked := termsOf(l.mapping, text)
	if len(asked) == 0 || len(l.Entries) == 0 {
		return nil
	}
	query := bleve.NewMatchQuery(text)
	query.SetField("q")
	request := bleve.NewSearchRequestOptions(query, 8, 0, false)
	found, err := l.index.Search(request)
	if err != nil {
		return nil // the index is in memory
	}
	best, at := 0.0, -1
	for _, hit := range found.Hits {
		q := l.terms[hit.ID]
		common := 0
		for t := range q.terms {
			if asked[t] {
				common++
			}
		}
		covered := max(float64(common)/float64(len(asked)), float64(common)/float64(max(len(q.terms), 1)))
		if covered > best {
			best, at = covered, q.entry
		}
	}
	if at < 0 || best < coverage {
		return nil
	}
	return &l.Entries[at]
}

// Answer is what the bot says to a message: always that a human is coming.
func (l *List) Answer(text string, coverage float64) (answer, entry string) {
	if e := l.Find(text, coverage); e != nil {
		return e.Answer + "\n" + l.Coming, e.ID
	}
	return l.Fallback + "\n" + l.Coming, ""
}

// Lists are all lists.
type Lists struct {
	shops map[string]*List
	rest  *List
}

// Of is the list of a shop.
func (ls *Lists) Of(shop string) *List {
	if l := ls.shops[shop]; l != nil {
		return l
	}
	return ls.rest
}

// close frees the indexes. Nothing may be asked any more.
func (ls *Lists) close() {
	for _, l := range ls.shops {
		l.close()
	}
	if ls.rest != nil {
		ls.rest.close()
	}
}

// LoadLists reads a directory, or the built-in list where dir is empty.
func LoadLists(dir string) (_ *Lists, err error) {
	ls := &Lists{shops: map[string]*List{}}
	defer func() {
		if err != nil {
			ls.close()
		}
	}()
	if dir != "" {
		files, err := listFiles(dir)
		if err != nil {
			return nil, err
		}
		from := map[string]string{}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read questions and answers: %w", err)
			}
			l, err := ParseList(file, data)
			if err != nil {
				return nil, err
			}
			if other, twice := from[l.Shop]; twice {
				l.close()
				return nil, fmt.Errorf("%s: shop %q has a list in %s already", file, l.Shop, other)
			}
			from[l.Shop] = file
			if l.Shop == "" {
				ls.rest = l
			} else {
				ls.shops[l.Shop] = l
			}
		}
	}
	if ls.rest == nil {
		l, err := ParseList("built-in list", builtIn)
		if err != nil {
			return nil, err
		}
		ls.rest = l
	}
	return ls, nil
}

func listFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read questions and answers (bot.faq): %w", err)
	}
	var files []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	sort.Strings(files)
	return files, nil
}

// stamp changes when a file of the directory does.
func stamp(dir string) string {
	if dir == "" {
		return ""
	}
	files, err := listFiles(dir)
	if err != nil {
		return "away"
	}
	var b strings.Builder
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", f, info.ModTime().UnixNano(), info.Size())
		} else if !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(&b, "%s %v\n", f, err)
		}
	}
	return b.String()
}
