package classify

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// Card says how a model came to be and what it does.
type Card struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Positive is what label 1 means.
	Positive string `json:"positive"`
	// Data are the files it was trained on, with their SHA-256, rows, and licence.
	Data   []Source `json:"data"`
	Recipe Recipe   `json:"recipe"`
	// Figures by name; each name says the split.
	Figures map[string]float64 `json:"figures"`
	// Bias, Slope, and Offset: the score is the weights' mean plus bias, the probability the logistic function of
	// slope × score + offset.
	Bias   float64 `json:"bias"`
	Slope  float64 `json:"slope"`
	Offset float64 `json:"offset"`
	// Threshold of the probability from which a text is called positive.
	Threshold float64 `json:"threshold"`
	// Step of the quantised weights.
	Step  float64  `json:"step"`
	Notes []string `json:"notes,omitempty"`
}

// Source is a training file.
type Source struct {
	File    string `json:"file"`
	SHA256  string `json:"sha256"`
	Rows    int    `json:"rows"`
	Licence string `json:"licence,omitempty"`
}

// Model is a trained classifier. It is immutable and safe for concurrent use.
type Model struct {
	Card    Card
	weights []int8
	value   [256]float32
}

const magic = "feige-model-1\n"

// maxBits bounds the table of a file: 16 MiB.
const maxBits = 24

// maxCard bounds the card of a file.
const maxCard = 1 << 20

// Read reads a model file.
func Read(r io.Reader) (*Model, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("reading a model: %w", err)
	}
	head := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(z, head); err != nil {
		return nil, fmt.Errorf("reading a model: %w", err)
	}
	if string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("reading a model: the file is none")
	}
	size := binary.LittleEndian.Uint32(head[len(magic):])
	if size > maxCard {
		return nil, fmt.Errorf("reading a model: a card of %d bytes, want at most %d", size, maxCard)
	}
	card := make([]byte, size)
	if _, err := io.ReadFull(z, card); err != nil {
		return nil, fmt.Errorf("reading a model's card: %w", err)
	}
	m := &Model{}
	if err := json.Unmarshal(card, &m.Card); err != nil {
		return nil, fmt.Errorf("reading a model's card: %w", err)
	}
	bits := m.Card.Recipe.Shape.Bits
	if bits < 1 || bits > maxBits {
		return nil, fmt.Errorf("reading model %s: %d bits, want 1 to %d", m.Card.Name, bits, maxBits)
	}
	raw := make([]byte, 1<<bits)
	if _, err := io.ReadFull(z, raw); err != nil {
		return nil, fmt.Errorf("reading the weights of model %s: %w", m.Card.Name, err)
	}
	m.weights = make([]int8, len(raw))
	for i, b := range raw {
		m.weights[i] = int8(b)
	}
	m.values()
	return m, nil
}

// values fills the table from quantised weights to weights: squares, so that small ones are finer.
func (m *Model) values() {
	for q := -128; q < 128; q++ {
		v := float64(q) * math.Abs(float64(q)) * m.Card.Step
		m.value[uint8(int8(q))] = float32(v)
	}
}

// Write writes the model's file.
func (m *Model) Write(w io.Writer) error {
	card, err := json.Marshal(m.Card)
	if err != nil {
		return fmt.Errorf("writing a model's card: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(magic)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(card))))
	b.Write(card)
	for _, q := range m.weights {
		b.WriteByte(byte(q))
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("writing a model: %w", err)
	}
	if _, err := z.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing a model: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("writing a model: %w", err)
	}
	return nil
}

// quantise takes weights over.
func quantise(weights []float32) (quantised []int8, step float64) {
	largest := 0.0
	for _, w := range weights {
		largest = max(largest, math.Abs(float64(w)))
	}
	if largest == 0 {
		return make([]int8, len(weights)), 1
	}
	step = largest / (127 * 127)
	quantised = make([]int8, len(weights))
	for i, w := range weights {
		q := math.Round(math.Sqrt(math.Abs(float64(w)) / step))
		quantised[i] = int8(math.Copysign(q, float64(w)))
	}
	return quantised, step
}

// Scratch is what Probability works with. The zero value is ready; it is not safe for concurrent use.
type Scratch struct{ features []uint32 }

// Probability that a text is positive.
func (m *Model) Probability(t *normal.Text, seen Seen, s *Scratch) float64 {
	s.features = m.Card.Recipe.Shape.Features(t, seen, s.features[:0])
	sum := float32(0)
	for _, k := range s.features {
		sum += m.value[uint8(m.weights[k])]
	}
	score := float64(sum)/math.Sqrt(float64(len(s.features)+1)) + m.Card.Bias
	score += m.Card.Recipe.adjustment(seen.Hits)
	return logistic(m.Card.Slope*score + m.Card.Offset)
}

func logistic(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// Positive tells whether a probability reaches the model's threshold.
func (m *Model) Positive(probability float64) bool { return probability >= m.Card.Threshold }
