package sheet

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/image/font/sfnt"
)

// The fonts are shipped, so that no machine needs any: Noto Sans SC cut to the characters of GB 2312, the common ones of Big5, and
// European letters; and Noto Emoji, whose characters beyond the first plane stand in its private area from U+E000 on,
// since a PDF's font of this kind holds one plane. Licences (OFL 1.1) lie beside them.
var (
	//go:embed fonts/NotoSansSC-subset.ttf.gz
	textFont []byte
	//go:embed fonts/NotoEmoji-subset.ttf.gz
	emojiFont []byte
)

const (
	emojiFrom   = 0x1F000
	emojiTo     = 0x1FBFF
	privateArea = 0xE000
)

// face is an unpacked font and what it can show.
type face struct {
	family string
	data   []byte
	font   *sfnt.Font
	buffer sfnt.Buffer
}

func unpack(family string, packed []byte) (*face, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", family, err)
	}
	data, err := io.ReadAll(zipped)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", family, err)
	}
	font, err := sfnt.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", family, err)
	}
	return &face{family: family, data: data, font: font}, nil
}

func (f *face) has(r rune) bool {
	index, err := f.font.GlyphIndex(&f.buffer, r)
	return err == nil && index != 0
}

// run is a piece of text in one font.
type run struct {
	family string
	text   string
}

// faces are the fonts of a document.
type faces struct{ text, emoji *face }

func openFaces() (*faces, error) {
	text, err := unpack("text", textFont)
	if err != nil {
		return nil, err
	}
	emoji, err := unpack("emoji", emojiFont)
	if err != nil {
		return nil, err
	}
	return &faces{text, emoji}, nil
}

// runs cuts text into pieces that the fonts can show. What neither can becomes a question mark, never an empty box.
func (f *faces) runs(text string) []run {
	var out []run
	var current strings.Builder
	family := ""
	put := func(to string, r rune) {
		if to != family && current.Len() > 0 {
			out = append(out, run{family, current.String()})
			current.Reset()
		}
		family = to
		current.WriteRune(r)
	}
	for _, r := range text {
		small := r
		if r >= emojiFrom && r <= emojiTo {
			small = r - emojiFrom + privateArea
		}
		switch {
		case r == 0x200d || r >= 0xfe00 && r <= 0xfe0f || r >= 0x1f3fb && r <= 0x1f3ff:
			// How emoji are joined, coloured, and shaded.
		case unicode.IsControl(r):
			put("text", ' ')
		case r < privateArea && f.text.has(r) || r >= 0xf900 && r <= 0xffff && f.text.has(r):
			put("text", r)
		case (r < privateArea || r != small) && f.emoji.has(small):
			put("emoji", small)
		default:
			put("text", '?')
		}
	}
	if current.Len() > 0 {
		out = append(out, run{family, current.String()})
	}
	return out
}
