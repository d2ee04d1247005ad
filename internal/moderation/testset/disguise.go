package testset

import (
	"strings"
)

// A disguise rewrites a run of digits or a name.
type disguise struct {
	name  string
	apply func(w *writer, s string) string
}

func each(s string, f func(i int, r rune) string) string {
	var b strings.Builder
	for i, r := range s {
		b.WriteString(f(i, r))
	}
	return b.String()
}

// shifted moves ASCII digits and letters to another block of Unicode where digits, small, and capital letters
// start at the given runes; 0 leaves them.
func shifted(digit, small, capital rune) func(w *writer, s string) string {
	return func(_ *writer, s string) string {
		return each(s, func(_ int, r rune) string {
			switch {
			case digit != 0 && r >= '0' && r <= '9':
				return string(digit + r - '0')
			case small != 0 && r >= 'a' && r <= 'z':
				return string(small + r - 'a')
			case capital != 0 && r >= 'A' && r <= 'Z':
				return string(capital + r - 'A')
			}
			return string(r)
		})
	}
}

func spelled(words string) func(w *writer, s string) string {
	table := []rune(words)
	return func(_ *writer, s string) string {
		return each(s, func(_ int, r rune) string {
			if r >= '0' && r <= '9' {
				return string(table[r-'0'])
			}
			return string(r)
		})
	}
}

// sometimes applies a disguise to each rune with probability one half, and to at least one.
func sometimes(f func(w *writer, s string) string) func(w *writer, s string) string {
	return func(w *writer, s string) string {
		must := w.rand.IntN(len(s))
		return each(s, func(i int, r rune) string {
			if i == must || w.chance(0.5) {
				return f(w, string(r))
			}
			return string(r)
		})
	}
}

func between(separators ...string) func(w *writer, s string) string {
	return func(w *writer, s string) string {
		sep := w.any(separators)
		return strings.Join(strings.Split(s, ""), sep)
	}
}

func grouped(separators ...string) func(w *writer, s string) string {
	return func(w *writer, s string) string {
		sep := w.any(separators)
		if len(s) == 11 {
			return s[:3] + sep + s[3:7] + sep + s[7:]
		}
		half := len(s) / 2
		return s[:half] + sep + s[half:]
	}
}

func circled(_ *writer, s string) string {
	return each(s, func(_ int, r rune) string {
		switch {
		case r == '0':
			return "⓪"
		case r >= '1' && r <= '9':
			return string('①' + r - '1')
		}
		return string(r)
	})
}

func negativeCircled(_ *writer, s string) string {
	return each(s, func(_ int, r rune) string {
		switch {
		case r == '0':
			return "⓿"
		case r >= '1' && r <= '9':
			return string('❶' + r - '1')
		}
		return string(r)
	})
}

func keycaps(_ *writer, s string) string {
	return each(s, func(_ int, r rune) string {
		if r >= '0' && r <= '9' {
			return string(r) + "\uFE0F\u20E3"
		}
		return string(r)
	})
}

func letterLikeDigits(_ *writer, s string) string {
	return strings.NewReplacer("0", "O", "1", "l").Replace(s)
}

func marked(w *writer, s string) string {
	marks := []string{"\u0336", "\u0332", "\u0301", "\u0305", "\u20DD"}
	mark := w.any(marks)
	return each(s, func(_ int, r rune) string { return string(r) + mark })
}

func asIs(_ *writer, s string) string { return s }

// digitDisguises: even places for development, odd ones held out.
func digitDisguises() []disguise {
	return []disguise{
		{"plain", asIs},
		{"plain", asIs},
		{"full width", shifted('０', 0, 0)},
		{"mathematical bold", shifted('𝟎', 0, 0)},
		{"digit words", spelled("零一二三四五六七八九")},
		{"banker's digits", spelled("零壹贰叁肆伍陆柒捌玖")},
		{"zero width", between("\u200b", "\u2060", "\ufeff")},
		{"soft hyphen and joiners", between("\u00ad", "\u200d", "\u200c")},
		{"spaces", between(" ")},
		{"dots", between(".", "·", "。")},
		{"keycaps", keycaps},
		{"circled", circled},
		{"groups", grouped("-", " ")},
		{"odd groups", grouped("——", "~", "_", "/")},
		{"some digit words", sometimes(spelled("〇一二三四五六七八九"))},
		{"radio words", spelled("洞幺两三四五六拐八勾")},
		{"letters for digits", letterLikeDigits},
		{"some keycaps", sometimes(keycaps)},
		{"marks", marked},
		{"negative circled", negativeCircled},
		{"monospace", shifted('𝟶', 0, 0)},
		{"sans bold and words", sometimes(shifted('𝟬', 0, 0))},
		{"stars", between("*", "#")},
		{"ideographic spaces", between("\u3000", "\u2003")},
	}
}

// nameDisguises do the same for account names, addresses, and links.
func nameDisguises() []disguise {
	return []disguise{
		{"plain", asIs},
		{"plain", asIs},
		{"full width", shifted('０', 'ａ', 'Ａ')},
		{"mathematical bold", shifted('𝟎', '𝐚', '𝐀')},
		{"zero width", between("\u200b", "\u2060")},
		{"circled", shifted(0, 'ⓐ', 'Ⓐ')},
		{"spaces", between(" ")},
		{"script", shifted(0, '𝓪', '𝓐')},
		{"capitals", func(_ *writer, s string) string { return strings.ToUpper(s) }},
		{"Cyrillic", func(_ *writer, s string) string {
			return strings.NewReplacer("a", "а", "o", "о", "e", "е", "x", "х", "c", "с", "p", "р").Replace(s)
		}},
		{"marks", marked},
		{"monospace", shifted('𝟶', '𝚊', '𝙰')},
	}
}

func (w *writer) disguise(all []disguise, s string) (string, string) {
	n := (len(all) + 1 - int(w.half)) / 2
	d := all[w.rand.IntN(n)*2+int(w.half)]
	return d.name, d.apply(w, s)
}
