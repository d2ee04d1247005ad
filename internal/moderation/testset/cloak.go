package testset

import (
	"strings"
	"unicode"

	"github.com/mozillazg/go-pinyin"
)

// Homophones cloaks a text: of its Chinese characters, each with the given probability becomes another of the
// common ones that is read the same.
type Homophones struct {
	common map[string][]rune
	reads  map[rune]string
}

// NewHomophones takes the common characters from texts.
func NewHomophones(texts []string) *Homophones {
	h := &Homophones{common: make(map[string][]rune), reads: make(map[rune]string)}
	counts := make(map[rune]int)
	for _, text := range texts {
		for _, r := range text {
			counts[r]++
			if counts[r] != 3 || !unicode.Is(unicode.Han, r) {
				continue
			}
			if reading := pinyin.SinglePinyin(r, pinyin.NewArgs()); len(reading) == 1 {
				h.reads[r] = reading[0]
				h.common[reading[0]] = append(h.common[reading[0]], r)
			}
		}
	}
	return h
}

// Cloak disguises a text; the same seed does it the same way.
func (h *Homophones) Cloak(text string, share float64, seed uint64) string {
	w := newWriter(Development, seed)
	return each(text, func(_ int, r rune) string {
		others := h.common[h.reads[r]]
		if len(others) < 2 || !w.chance(share) {
			return string(r)
		}
		for {
			if other := others[w.rand.IntN(len(others))]; other != r {
				return string(other)
			}
		}
	})
}

// CloakWithEmoji puts emoji in place of words that have one, as people do to get past filters.
func CloakWithEmoji(text string) string {
	return strings.NewReplacer(
		"垃圾", "🗑️", "恶心", "🤮", "印度", "🇮🇳", "日本", "🇯🇵", "韩国", "🇰🇷", "美国", "🇺🇸", "台湾", "🇹🇼", "中国", "🇨🇳", "女人", "👩", "男人", "👨", "女生", "👧",
		"男生", "👦", "女的", "👩的", "男的", "👨的", "老婆", "👰", "猴子", "🐒", "狗", "🐶", "猪", "🐷", "鸡", "🐔", "妈", "🐴", "死", "💀", "黑", "⚫", "白", "⚪", "鬼", "👻",
		"屎", "💩", "操", "🌿", "草", "🌿", "牛", "🐮", "鸟", "🐦", "蛋", "🥚", "龟", "🐢", "爷", "👴", "奶", "🍼", "拳", "👊", "刀", "🔪", "杀", "🔪", "滚", "🎳", "傻", "🤪",
		"笑", "😂", "哭", "😭", "吃", "🍽️", "药", "💊", "逼", "🅱️", "婊", "🐝", "脑", "🧠", "嘴", "👄", "眼", "👁️", "手", "✋", "钱", "💰", "家", "🏠", "车", "🚗", "心", "❤️", "水", "💧",
		"火", "🔥", "月", "🌙", "日", "☀️", "山", "⛰️", "花", "🌸", "马", "🐴", "羊", "🐑", "虫", "🐛", "鱼", "🐟", "蛇", "🐍", "鼠", "🐭", "蛆", "🐛", "女", "👩", "男", "👨",
	).Replace(text)
}
