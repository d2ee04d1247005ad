package statement

import "strings"

// Statement is one statement, understood as far as this server needs.
type Statement struct {
	// Text to give to the engine. Of an INSERT with data: without FORMAT or VALUES, and without the data.
	Text string
	// Verb is the first keyword, upper case.
	Verb string
	// Insert: data follows in InsertFormat, the first of it being Data.
	Insert       bool
	InsertFormat string
	Data         string
	// Format is that of a FORMAT clause at the end of a query, or "".
	Format string

	tokens []Token
}

// Reads says whether the statement gives rows and changes nothing.
func (s *Statement) Reads() bool {
	switch s.Verb {
	case "SELECT", "(", "FROM", "VALUES":
		return true
	case "WITH":
		return !s.has("INSERT")
	}
	return false
}

// Parse reads a statement, which may have data behind it when it is an INSERT. The text may then be cut
// anywhere in the data.
func Parse(text string) (*Statement, error) {
	l := NewLexer(text)
	s := &Statement{Text: text}
	selects := false
	for {
		t, err := l.Next()
		if err != nil {
			return nil, err
		}
		if t.Kind == End {
			break
		}
		if t.Depth < 0 {
			return nil, l.refuse(t.Start, "a bracket closes that was never opened")
		}
		if t.Is(";") {
			return s.finish(l, t.Start)
		}
		if len(s.tokens) == 0 {
			s.Verb = strings.ToUpper(t.Text)
		}
		s.tokens = append(s.tokens, t)
		selects = selects || t.Is("SELECT") || t.Is("WITH")
		if s.Verb == "INSERT" && !selects && t.Kind == Word && t.Depth == 0 && len(s.tokens) > 3 {
			if done, err := s.insertData(l, t); done || err != nil {
				return s, err
			}
		}
	}
	return s.finish(l, len(text))
}

// finish ends a statement that has no data behind it at end; only comments and semicolons may follow.
func (s *Statement) finish(l *Lexer, end int) (*Statement, error) {
	for {
		t, err := l.Next()
		if err != nil {
			return nil, err
		}
		if t.Kind == End {
			break
		}
		if !t.Is(";") {
			return nil, &Error{Code: CodeSyntax, Message: "Syntax error (Multi-statements are not allowed): one statement a request"}
		}
	}
	if l.depth != 0 {
		return nil, l.refuse(end-1, "brackets are not closed")
	}
	if len(s.tokens) == 0 {
		return nil, &Error{Code: CodeSyntax, Message: "Syntax error: Empty query"}
	}
	s.Text = s.Text[:end]
	last := len(s.tokens) - 1
	for i := last; i > 0; i-- {
		if s.tokens[i-1].Is("FORMAT") && s.tokens[i].Kind == Word && s.tokens[i].Depth == 0 && s.Verb != "INSERT" {
			s.Format = s.tokens[i].Text
			break
		}
	}
	if s.Verb == "INSERT" && !s.has("SELECT") && !s.has("WITH") && !s.has("INFILE") {
		// INSERT INTO t (a, b): the data is in the body, as values.
		s.Insert, s.InsertFormat = true, "Values"
	}
	return s, nil
}

// insertData looks whether the data of an INSERT begins behind t.
func (s *Statement) insertData(l *Lexer, t Token) (bool, error) {
	before := s.tokens[len(s.tokens)-2]
	if before.Is("INTO") || before.Is("TABLE") || before.Is(".") || before.Is("FUNCTION") || before.Is("=") || before.Is(",") {
		return false, nil // the table's own name, or a setting
	}
	switch {
	case t.Is("VALUES"):
		s.Insert, s.InsertFormat, s.Data = true, "Values", l.text[l.at:]
	case t.Is("FORMAT"):
		name, err := l.Next()
		if err != nil {
			return false, err
		}
		if name.Kind != Word {
			return false, l.refuse(name.Start, "FORMAT wants the name of a format")
		}
		s.Insert, s.InsertFormat, s.Data = true, name.Text, dataBehind(l.text[l.at:])
	default:
		return false, nil
	}
	s.tokens = s.tokens[:len(s.tokens)-1]
	s.Text = l.text[:t.Start]
	return true, nil
}

// dataBehind takes off what separates data from the name of its format: white space up to and with one end
// of line. A lone semicolon is no data.
func dataBehind(rest string) string {
	data := strings.TrimLeft(rest, " \t\r")
	data = strings.TrimPrefix(data, "\n")
	if strings.HasPrefix(data, ";") && strings.TrimSpace(data[1:]) == "" {
		return ""
	}
	return data
}

func (s *Statement) has(keyword string) bool {
	for _, t := range s.tokens {
		if t.Is(keyword) {
			return true
		}
	}
	return false
}
