package normal

import (
	"strings"
	"unicode"

	"github.com/mozillazg/go-pinyin"
)

// Sound is a syllable without its tone, or a letter or digit that is read by itself; 0 is silence.
type Sound uint16

// Sounds of letters and digits; syllables follow.
const (
	letterSound Sound = 1
	digitSound  Sound = letterSound + 26
	syllables   Sound = digitSound + 10
)

// IsDigit tells whether a sound is that of a digit 0 to 9 that is written as one.
func IsDigit(s Sound) bool { return s >= digitSound && s < syllables }

// soundTable numbers the syllables.
type soundTable struct {
	number map[string]Sound
	usual  map[rune]string
}

func newSoundTable() *soundTable {
	t := &soundTable{number: make(map[string]Sound), usual: make(map[rune]string)}
	var last rune
	for _, r := range usual {
		if r > 0x7f {
			last = r
			continue
		}
		t.usual[last] += string(r)
	}
	return t
}

// usual readings where the dictionary's first one is not the usual one.
const usual = "行xing了le地de得de着zhe都dou还hai没mei长chang么me吗ma吧ba呢ne的de不bu个ge和he会hui大da为wei好hao什shen重zhong乐le色se觉jue率lv绿lv女nv差cha传chuan弹dan单dan当dang调tiao干gan更geng号hao角jiao尽jin强qiang曲qu少shao省sheng说shuo相xiang兴xing应ying正zheng只zhi中zhong种zhong转zhuan草cao操cao逼bi屄bi薇wei嘛ma啥sha"

func (t *soundTable) of(r rune) Sound {
	switch {
	case r >= 'a' && r <= 'z':
		return letterSound + Sound(r-'a')
	case r >= '0' && r <= '9':
		return digitSound + Sound(r-'0')
	}
	if name, ok := t.usual[r]; ok {
		return t.syllable(name)
	}
	readings, ok := pinyin.PinyinDict[int(r)]
	if !ok {
		return 0
	}
	first, _, _ := strings.Cut(readings, ",")
	return t.syllable(toneless(first))
}

func (t *soundTable) syllable(name string) Sound {
	if s, ok := t.number[name]; ok {
		return s
	}
	s := syllables + Sound(len(t.number))
	t.number[name] = s
	return s
}

// spelled is the sound of a syllable in Latin letters, if it is one.
func (t *soundTable) spelled(letters []rune) (Sound, bool) {
	var buf [6]byte
	if len(letters) > len(buf) {
		return 0, false
	}
	for i, r := range letters {
		buf[i] = byte(r)
	}
	s, ok := t.number[string(buf[:len(letters)])]
	return s, ok
}

func toneless(syllable string) string {
	const marked, plain = "āáǎàēéěèōóǒòīíǐìūúǔùǖǘǚǜüńňǹḿ", "aaaaeeeeooooiiiiuuuuvvvvvnnnm"
	from, to := []rune(marked), []rune(plain)
	return strings.Map(func(r rune) rune {
		for i, f := range from {
			if r == f {
				return to[i]
			}
		}
		if unicode.In(r, unicode.Mn) {
			return -1
		}
		if r == 'ê' || r == 'ế' || r == 'ề' {
			return 'e'
		}
		return r
	}, syllable)
}
