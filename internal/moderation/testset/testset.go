// Package testset writes the synthetic texts that the detectors are measured on: contacts in the disguises
// that people use, clean service messages that look like contacts, and ordinary service chat. It was written
// from the rules and from how people type, and must never import a detector or share a table with one, or
// the figures would measure nothing but themselves.
package testset

import (
	"math/rand/v2"
	"strings"
)

// Sample is one labelled text.
type Sample struct {
	// Violating is the label.
	Violating bool
	// Kind of contact, or of clean text.
	Kind string
	// Style is the disguise, or the template's name.
	Style string
	Text  string
}

// Half tells the two halves of the vocabulary and of the disguises apart: what the detectors were developed
// against, and what was kept for measuring.
type Half int

// Halves.
const (
	Development Half = iota
	HeldOut
)

type writer struct {
	rand *rand.Rand
	half Half
}

func newWriter(half Half, seed uint64) *writer {
	return &writer{rand: rand.New(rand.NewPCG(seed, uint64(half)+11)), half: half}
}

// pick takes one of the half's options: even places are for development, odd ones are held out.
func (w *writer) pick(options []string) string {
	if len(options) == 1 {
		return options[0]
	}
	n := (len(options) + 1 - int(w.half)) / 2
	return options[w.rand.IntN(n)*2+int(w.half)]
}

// any takes one of all options.
func (w *writer) any(options []string) string { return options[w.rand.IntN(len(options))] }

func (w *writer) chance(p float64) bool { return w.rand.Float64() < p }

// digits is n digits that do not start with zero.
func (w *writer) digits(n int) string {
	var b strings.Builder
	b.WriteByte(byte('1' + w.rand.IntN(9)))
	for b.Len() < n {
		b.WriteByte(byte('0' + w.rand.IntN(10)))
	}
	return b.String()
}

func (w *writer) mobile() string {
	second := w.any([]string{"30", "31", "35", "36", "37", "38", "39", "50", "51", "52", "57", "58", "59", "66", "70", "71", "73", "75", "76", "77", "78", "80", "81", "82", "83", "85", "86", "87", "88", "89", "91", "95", "98", "99"})
	return "1" + second + w.digits(8)
}

// handle is an account name as people choose them.
func (w *writer) handle() string {
	names := []string{"lili", "xiaoyu", "meimei", "ahua", "wangge", "dapeng", "yoyo", "nana", "chenjie", "tony", "zhangsan", "sunny", "momo", "lucky", "tiantian", "feifei"}
	switch w.rand.IntN(5) {
	case 0:
		return w.any(names) + w.digits(3+w.rand.IntN(3))
	case 1:
		return w.any(names) + "_" + w.digits(3)
	case 2:
		return w.any(names) + w.any(names)
	case 3:
		return "wxid_" + w.any(names) + w.digits(4)
	}
	return w.any([]string{"a", "q", "z", "x", "k"}) + w.digits(7)
}

// card is a bank card number whose check digit is right.
func (w *writer) card() string {
	body := w.any([]string{"622202", "621700", "622848", "622588", "621661", "623052", "621483"}) + w.digits(12)
	return body + luhnDigit(body)
}

func luhnDigit(body string) string {
	sum := 0
	for i := 0; i < len(body); i++ {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return string(rune('0' + (10-sum%10)%10))
}

// unluhn is n digits whose check digit is wrong.
func (w *writer) unluhn(n int) string {
	body := w.digits(n - 1)
	right := luhnDigit(body)[0] - '0'
	return body + string(rune('0'+(right+1+byte(w.rand.IntN(8)))%10))
}
