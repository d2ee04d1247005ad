package normal

import "unicode"

// Class of a folded rune.
type Class uint8

// Classes.
const (
	Other  Class = iota
	Han          // a Chinese character
	Letter       // a to z
	Digit        // 0 to 9
	Space        // blanks and line breaks
	Stop         // punctuation that parts sentences and clauses
	Mark         // other punctuation and symbols
	Emoji        // a picture
)

// Separates tells whether runes of the class can stand between characters without being read.
func (c Class) Separates() bool { return c >= Space }

func classOf(r rune) Class {
	switch {
	case r >= 'a' && r <= 'z':
		return Letter
	case r >= '0' && r <= '9':
		return Digit
	case unicode.Is(unicode.Han, r):
		return Han
	case unicode.IsSpace(r) || r == 0x3164 || r == 0x2800:
		return Space
	}
	switch r {
	case ',', '!', '?', ';', '，', '。', '！', '？', '；', '、', '…':
		return Stop
	}
	switch {
	case r < 0x80, unicode.IsPunct(r):
		return Mark
	case isEmoji(r):
		return Emoji
	case unicode.IsSymbol(r):
		return Mark
	case unicode.IsControl(r):
		return Space
	}
	return Other
}

func isEmoji(r rune) bool {
	return r >= 0x2600 && r <= 0x27BF || r >= 0x1F300 && r <= 0x1FAFF || r >= 0x1F000 && r <= 0x1F0FF || r >= 0x2B00 && r <= 0x2BFF || r == 0x203C || r >= 0x2300 && r <= 0x23FF
}

// DigitKind says how plainly a rune is a digit.
type DigitKind uint8

// Kinds of digits.
const (
	NoDigit    DigitKind = iota
	PlainDigit           // 0 to 9 after folding
	WordDigit            // 零 一 二, 壹 贰, and their like
	RadioDigit           // 洞 幺 两 拐 勾
	AlikeDigit           // o and l beside digits
	SoundDigit           // characters that sound like a digit
)

// DigitOf says which digit a folded rune is, and how plainly.
func DigitOf(r rune) (value byte, kind DigitKind) {
	if r >= '0' && r <= '9' {
		return byte(r - '0'), PlainDigit
	}
	switch r {
	case '零', '〇', '○', '◯', '⭕':
		return 0, WordDigit
	case '一', '壹', '弌', '丨', '㈠':
		return 1, WordDigit
	case '二', '贰', '弍', '貳':
		return 2, WordDigit
	case '三', '叁', '弎', '参':
		return 3, WordDigit
	case '四', '肆':
		return 4, WordDigit
	case '五', '伍':
		return 5, WordDigit
	case '六', '陆':
		return 6, WordDigit
	case '七', '柒', '漆':
		return 7, WordDigit
	case '八', '捌':
		return 8, WordDigit
	case '九', '玖':
		return 9, WordDigit
	case '洞':
		return 0, RadioDigit
	case '幺', '么', '吆':
		return 1, RadioDigit
	case '两', '俩':
		return 2, RadioDigit
	case '拐':
		return 7, RadioDigit
	case '勾':
		return 9, RadioDigit
	case 'o':
		return 0, AlikeDigit
	case 'l', 'i', '|':
		return 1, AlikeDigit
	case 'z':
		return 2, AlikeDigit
	case '医', '衣', '依', '伊', '易', '亿', '壱':
		return 1, SoundDigit
	case '儿', '而', '尔', '耳':
		return 2, SoundDigit
	case '伞', '散', '山', '仨':
		return 3, SoundDigit
	case '似', '死', '丝', '思', '是':
		return 4, SoundDigit
	case '午', '武', '舞', '我', '捂', '吴', '无':
		return 5, SoundDigit
	case '溜', '留', '流', '牛', '刘':
		return 6, SoundDigit
	case '期', '妻', '起', '气', '琪', '齐', '企':
		return 7, SoundDigit
	case '吧', '巴', '爸', '把', '疤', '扒':
		return 8, SoundDigit
	case '酒', '久', '就', '旧':
		return 9, SoundDigit
	case '灵', '玲', '铃', '另', '令', '领', '林', '凌':
		return 0, SoundDigit
	}
	return 0, NoDigit
}
