package statement

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind of a token.
type Kind uint8

// Kinds of tokens. Comments and white space are not tokens.
const (
	End    Kind = iota
	Word        // bare word or keyword
	Name        // `name` or "name"
	String      // 'text', x'ff', b'01'
	Number      // digits, and what is glued to them
	Symbol      // one byte of punctuation
)

// Token is a piece of a statement; its bytes stand at [Start, End).
type Token struct {
	Kind       Kind
	Text       string // as written; of a Name, what stands between the quotes
	Start, End int
	Depth      int // brackets open around it; a bracket itself counts as outside
}

// Is says whether the token is the keyword or symbol, in any case. A quoted name is never a keyword.
func (t Token) Is(text string) bool {
	return (t.Kind == Word || t.Kind == Symbol) && strings.EqualFold(t.Text, text)
}

// identifier is the name that the token may stand for, or "".
func (t Token) identifier() string {
	if t.Kind == Word || t.Kind == Name {
		return t.Text
	}
	return ""
}

// Lexer cuts a statement into tokens, one at a time, so that data behind an INSERT is never looked at.
type Lexer struct {
	text  string
	at    int
	depth int
}

// NewLexer reads text from its beginning.
func NewLexer(text string) *Lexer { return &Lexer{text: text} }

func (l *Lexer) refuse(at int, why string) error {
	return &Error{Code: CodeSyntax, Message: fmt.Sprintf("Syntax error: at position %d: %s", at+1, why)}
}

// Next is the next token; after the last one, a token of kind End again and again.
func (l *Lexer) Next() (Token, error) {
	if err := l.skip(); err != nil {
		return Token{}, err
	}
	start := l.at
	if start >= len(l.text) {
		return Token{Kind: End, Start: start, End: start, Depth: l.depth}, nil
	}
	c := l.text[start]
	switch {
	case c == '\'':
		end, err := l.quoted(start)
		if err != nil {
			return Token{}, err
		}
		return l.token(String, start, end), nil
	case c == '`' || c == '"':
		end, err := l.quoted(start)
		if err != nil {
			return Token{}, err
		}
		t := l.token(Name, start, end)
		inner := l.text[start+1 : end-1]
		if strings.IndexByte(inner, '\\') >= 0 {
			// \x66ile would be `file` to the engine.
			return Token{}, l.refuse(start, "a quoted name must not have backslashes")
		}
		t.Text = strings.ReplaceAll(inner, string([]byte{c, c}), string(c))
		return t, nil
	case (c|0x20 == 'x' || c|0x20 == 'b') && start+1 < len(l.text) && l.text[start+1] == '\'':
		end := strings.IndexByte(l.text[start+2:], '\'')
		if end < 0 {
			return Token{}, l.refuse(start, "the string is not closed")
		}
		for _, digit := range []byte(l.text[start+2 : start+2+end]) {
			if !isHex(digit) {
				return Token{}, l.refuse(start, "not a hexadecimal or binary string")
			}
		}
		return l.token(String, start, start+2+end+1), nil
	case isDigit(c):
		return l.token(Number, start, l.run(start)), nil
	case isWord(c):
		return l.token(Word, start, l.run(start)), nil
	case c >= utf8.RuneSelf:
		return Token{}, l.refuse(start, "only ASCII may stand outside of quotes (put names into back quotes)")
	case c == '$' || c == '\\' || c == '#' || c < ' ':
		return Token{}, l.refuse(start, fmt.Sprintf("unexpected character %q", c))
	}
	t := l.token(Symbol, start, start+1)
	switch c {
	case '(', '[', '{':
		l.depth++
	case ')', ']', '}':
		l.depth--
		t.Depth = l.depth
	}
	return t, nil
}

func (l *Lexer) token(kind Kind, start, end int) Token {
	l.at = end
	return Token{Kind: kind, Text: l.text[start:end], Start: start, End: end, Depth: l.depth}
}

// run is the end of the word or number at start.
func (l *Lexer) run(start int) int {
	end := start
	for end < len(l.text) && (isWord(l.text[end]) || isDigit(l.text[end])) {
		end++
	}
	return end
}

// quoted is the end of the quoted piece at start: \ takes the next byte along, a doubled quote stays inside.
func (l *Lexer) quoted(start int) (int, error) {
	quote := l.text[start]
	for at := start + 1; at < len(l.text); at++ {
		switch l.text[at] {
		case '\\':
			at++
		case quote:
			if at+1 < len(l.text) && l.text[at+1] == quote {
				at++
				continue
			}
			return at + 1, nil
		}
	}
	return 0, l.refuse(start, "the quote is not closed")
}

// skip passes over white space and comments.
func (l *Lexer) skip() error {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case isSpace(rest[0]):
			l.at++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "//"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.at += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return l.refuse(l.at, "the comment is not closed")
			}
			if strings.Contains(rest[2:2+end], "/*") {
				// The engine nests comments; older ones do not.
				return l.refuse(l.at, "a comment must not stand in a comment")
			}
			l.at += end + 4
		default:
			return nil
		}
	}
	return nil
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isWord(c byte) bool  { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func isHex(c byte) bool   { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
