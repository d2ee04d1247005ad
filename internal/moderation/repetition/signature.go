package repetition

import (
	"math/bits"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// Size of a signature: 16 MinHash bands of 8 bits each, in two words.
const (
	hashes      = 16
	minimumRead = 6
)

// Signature is a MinHash of a text's pairs of sounds: texts that share most of their wording share most of its
// bytes, whatever the characters. The zero value belongs to texts too short to compare.
type Signature [2]uint64

// Sign computes a text's signature. Digits and separators do not count: prices and order numbers differ between
// copies, and so do smileys.
func Sign(t *normal.Text) Signature {
	var least [hashes]uint32
	for i := range least {
		least[i] = ^uint32(0)
	}
	read := 0
	var before normal.Sound
	for i, s := range t.Sounds {
		if s == 0 || normal.IsDigit(s) || t.Classes[t.SoundAt[i]] == normal.Emoji {
			continue
		}
		read++
		if read > 1 {
			h := uint32(before)*0x9E3779B1 ^ uint32(s)*0x85EBCA6B
			for i := range least {
				x := h ^ seeds[i]
				x ^= x >> 16
				x *= 0x7feb352d
				x ^= x >> 15
				x *= 0x846ca68b
				x ^= x >> 16
				least[i] = min(least[i], x)
			}
		}
		before = s
	}
	if read < minimumRead {
		return Signature{}
	}
	var sig Signature
	for i, x := range least {
		sig[i/8] |= uint64(byte(x*0x9E3779B1>>24)) << (8 * (i % 8))
	}
	if sig == (Signature{}) {
		sig[0] = 1
	}
	return sig
}

var seeds = [hashes]uint32{
	0x1b873593, 0xcc9e2d51, 0xe6546b64, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1, 0x9e3779b1,
	0x2545f491, 0x4f6cdd1d, 0x94d049bb, 0xbf58476d, 0x1ce4e5b9, 0x133111eb, 0xd6e8feb8, 0x6c62272e,
}

// Similarity is the estimated share of wording that two texts have in common, 0 to 1; 0 if one is too short.
func (a Signature) Similarity(b Signature) float64 {
	if a == (Signature{}) || b == (Signature{}) {
		return 0
	}
	same := 0
	for i := range a {
		x := a[i] ^ b[i]
		// A zero byte of x is an equal hash: fold each byte to its lowest bit and count the ones that stay zero.
		x |= x >> 4
		x |= x >> 2
		x |= x >> 1
		same += 8 - bits.OnesCount64(x&0x0101010101010101)
	}
	// Bytes agree by chance once in 256.
	return max(0, (float64(same)/hashes-1.0/256)/(1-1.0/256))
}
