package classify

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/feigeio/feige/internal/moderation/contact"
	"github.com/feigeio/feige/internal/moderation/lexicon"
	"github.com/feigeio/feige/internal/moderation/normal"
)

// Recipe is everything that training depends on besides the data.
type Recipe struct {
	Shape  Shape   `json:"shape"`
	Epochs int     `json:"epochs"`
	Rate   float64 `json:"rate"`
	L2     float64 `json:"l2"`
	// Odds is how much a feature is scaled by its log odds in the training set (0: not, 1: wholly).
	Odds float64 `json:"odds"`
	// Copies of each text in disguise, with so many of their characters cloaked.
	Copies    int     `json:"copies"`
	CloakRate float64 `json:"cloak_rate"`
	// Positive weighs the positive texts.
	Positive float64 `json:"positive"`
	Seed     uint64  `json:"seed"`
	// Folds of the cross-validation that calibrates and measures.
	Folds int `json:"folds"`
	// Adjust is added to the score of a text with a hit of the kind, of category "stance": what the labels are known
	// to get wrong.
	Adjust map[string]float64 `json:"adjust,omitempty"`
	// Threshold says where the line is drawn on the cross-validated scores.
	Threshold Line `json:"threshold"`
}

// Line is a rule for a threshold; the first one set applies.
type Line struct {
	// FalsePositives is the rate that must not be exceeded.
	FalsePositives float64 `json:"false_positives,omitempty"`
	// Accuracy is what the accuracy may fall to while the threshold rises.
	Accuracy float64 `json:"accuracy,omitempty"`
}

// stanceCategory holds terms that tell how a text speaks of something.
const stanceCategory = "stance"

func (r *Recipe) adjustment(hits []lexicon.Hit) float64 {
	if len(r.Adjust) == 0 {
		return 0
	}
	least := 0.0
	for _, h := range hits {
		if h.Term.Category == stanceCategory {
			least = min(least, r.Adjust[h.Term.Kind])
		}
	}
	return least
}

// Example is a labelled text.
type Example struct {
	Text  string
	Label bool
}

// Report is what training measured by cross-validation.
type Report struct {
	Accuracy, Precision, Recall, F1, FalsePositiveRate float64
	AUC, LogLoss                                       float64
	// Unseen are recall, false positive rate, and accuracy where each fold's line is drawn on the other folds alone.
	UnseenRecall, UnseenFalsePositiveRate, UnseenAccuracy float64
}

// Trainer turns texts into features and fits models.
type Trainer struct {
	normaliser *normal.Normaliser
	lexicon    *lexicon.Lexicon
	contacts   *contact.Detector
}

// NewTrainer makes a trainer. The packs are those that the model will be used with.
func NewTrainer(n *normal.Normaliser, l *lexicon.Lexicon) *Trainer {
	return &Trainer{normaliser: n, lexicon: l, contacts: contact.New(n, nil)}
}

// sample is an example as features.
type sample struct {
	features []uint32
	label    bool
	adjust   float64
}

func (t *Trainer) sample(r *Recipe, text string, label bool) sample {
	var read normal.Text
	var s lexicon.Scratch
	t.normaliser.Read(text, &read)
	seen := Seen{Hits: t.lexicon.Find(&read, &s)}
	if r.Shape.Contacts {
		var c contact.Scratch
		seen.Contacts = t.contacts.Find(&read, seen.Hits, &c)
	}
	return sample{features: r.Shape.Features(&read, seen, nil), label: label, adjust: r.adjustment(seen.Hits)}
}

// Train fits a model to the examples and reports what cross-validation says of the recipe.
func (t *Trainer) Train(r Recipe, examples []Example) (*Model, Report, error) {
	if len(examples) < r.Folds || r.Folds < 2 {
		return nil, Report{}, fmt.Errorf("training on %d examples in %d folds: want two folds or more, and an example for each", len(examples), r.Folds)
	}
	texts := make([]string, len(examples))
	for i, e := range examples {
		texts[i] = e.Text
	}
	cloaks := newCloaker(t.normaliser, texts)
	rng := rand.New(rand.NewPCG(r.Seed, 1))
	plain, copies := make([]sample, len(examples)), make([][]sample, len(examples))
	for i, e := range examples {
		plain[i] = t.sample(&r, e.Text, e.Label)
		for range r.Copies {
			copies[i] = append(copies[i], t.sample(&r, cloaks.cloak(e.Text, r.CloakRate, rng), e.Label))
		}
	}
	fold := folds(examples, r.Folds, r.Seed)
	scores := make([]scored, 0, len(examples))
	for f := range r.Folds {
		weights, bias := r.fit(plain, copies, func(i int) bool { return fold[i] != f })
		for i, s := range plain {
			if fold[i] == f {
				scores = append(scores, scored{score(weights, s.features) + bias + s.adjust, s.label, f})
			}
		}
	}
	weights, bias := r.fit(plain, copies, func(int) bool { return true })
	m := &Model{Card: Card{Recipe: r, Bias: bias}}
	m.Card.Slope, m.Card.Offset = calibrate(scores)
	for i := range scores {
		scores[i].score = logistic(m.Card.Slope*scores[i].score + m.Card.Offset)
	}
	m.Card.Threshold = r.Threshold.draw(scores)
	m.weights, m.Card.Step = quantise(weights)
	m.values()
	report := measure(scores, m.Card.Threshold)
	r.unseen(scores, &report)
	return m, report, nil
}

// unseen measures with thresholds that each fold had no part in.
func (r *Recipe) unseen(scores []scored, report *Report) {
	var all []scored
	for f := range r.Folds {
		var others, own []scored
		for _, s := range scores {
			if s.fold == f {
				own = append(own, s)
			} else {
				others = append(others, s)
			}
		}
		line := r.Threshold.draw(others)
		for _, s := range own {
			s.score -= line // so that one line, 0, serves all folds
			all = append(all, s)
		}
	}
	got := measure(all, 0)
	report.UnseenRecall, report.UnseenFalsePositiveRate, report.UnseenAccuracy = got.Recall, got.FalsePositiveRate, got.Accuracy
}

// folds deals the examples out; equal texts go to the same fold, so that none is measured on its twin.
func folds(examples []Example, n int, seed uint64) []int {
	rng := rand.New(rand.NewPCG(seed, 2))
	fold := make([]int, len(examples))
	of := make(map[string]int)
	next := 0
	for _, i := range rng.Perm(len(examples)) {
		f, ok := of[examples[i].Text]
		if !ok {
			f = next % n
			next++
			of[examples[i].Text] = f
		}
		fold[i] = f
	}
	return fold
}

func score(weights []float32, features []uint32) float64 {
	sum := float32(0)
	for _, k := range features {
		sum += weights[k]
	}
	return float64(sum) / math.Sqrt(float64(len(features)+1))
}

// fit is averaged stochastic gradient descent on the logistic loss with L2, features scaled by their log odds.
func (r *Recipe) fit(plain []sample, copies [][]sample, in func(int) bool) (weights []float32, bias float64) {
	var order []*sample
	for i := range plain {
		if !in(i) {
			continue
		}
		order = append(order, &plain[i])
		for k := range copies[i] {
			order = append(order, &copies[i][k])
		}
	}
	scale := r.odds(order)
	size := len(scale)
	w, sum, since := make([]float32, size), make([]float32, size), make([]int32, size)
	rng := rand.New(rand.NewPCG(r.Seed, 3))
	step, biasSum := int32(0), 0.0
	for range r.Epochs {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, s := range order {
			step++
			norm := 1 / math.Sqrt(float64(len(s.features)+1))
			z := float32(0)
			for _, k := range s.features {
				z += w[k] * scale[k]
			}
			gradient := logistic(float64(z)*norm + bias)
			if s.label {
				gradient = (gradient - 1) * r.Positive
			}
			bias -= 0.02 * gradient
			biasSum += bias
			pull := float32(gradient * norm)
			for _, k := range s.features {
				sum[k] += w[k] * float32(step-since[k])
				since[k] = step
				w[k] -= float32(r.Rate) * (pull*scale[k] + float32(r.L2)*w[k])
			}
		}
	}
	for k := range w {
		sum[k] += w[k] * float32(step-since[k])
		w[k] = sum[k] / float32(step) * scale[k]
	}
	return w, biasSum / float64(step)
}

func (r *Recipe) odds(samples []*sample) []float32 {
	size := 1 << r.Shape.Bits
	positive, negative := make([]float32, size), make([]float32, size)
	positives, negatives := float64(size), float64(size)
	for _, s := range samples {
		for _, k := range s.features {
			if s.label {
				positive[k]++
				positives++
			} else {
				negative[k]++
				negatives++
			}
		}
	}
	scale := make([]float32, size)
	for k := range scale {
		odds := math.Log(float64(positive[k]+1)/positives) - math.Log(float64(negative[k]+1)/negatives)
		scale[k] = float32(1 - r.Odds + r.Odds*math.Abs(odds))
	}
	return scale
}

// scored is a score or probability with its label.
type scored struct {
	score float64
	label bool
	fold  int
}

// calibrate fits slope and offset of the logistic function to scores.
func calibrate(scores []scored) (slope, offset float64) {
	slope = 1
	for range 200 {
		var g0, g1, h00, h01, h11 float64
		for _, s := range scores {
			p := logistic(slope*s.score + offset)
			y := 0.0
			if s.label {
				y = 1
			}
			d, v := p-y, max(p*(1-p), 1e-9)
			g0, g1 = g0+d*s.score, g1+d
			h00, h01, h11 = h00+v*s.score*s.score, h01+v*s.score, h11+v
		}
		det := h00*h11 - h01*h01
		if det < 1e-9 {
			break
		}
		ds, do := (h11*g0-h01*g1)/det, (h00*g1-h01*g0)/det
		slope, offset = slope-ds, offset-do
		if math.Abs(ds)+math.Abs(do) < 1e-9 {
			break
		}
	}
	return slope, offset
}

// draw finds the threshold that a line asks for.
func (l Line) draw(scores []scored) float64 {
	sorted := slices.Clone(scores)
	slices.SortFunc(sorted, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	negatives := 0
	for _, s := range sorted {
		if !s.label {
			negatives++
		}
	}
	if l.FalsePositives > 0 {
		wrong := 0
		for i, s := range sorted {
			if !s.label {
				wrong++
			}
			if float64(wrong) > l.FalsePositives*float64(negatives) {
				return sorted[max(i-1, 0)].score
			}
		}
	}
	threshold := 0.5
	if l.Accuracy > 0 {
		for t := 0.5; t < 0.95; t += 0.005 {
			if measure(scores, t).Accuracy < l.Accuracy {
				break
			}
			threshold = t
		}
	}
	return threshold
}

func measure(scores []scored, threshold float64) Report {
	var tp, fp, fn, tn, loss float64
	for _, s := range scores {
		p := min(max(s.score, 1e-9), 1-1e-9)
		if s.label {
			loss -= math.Log(p)
		} else {
			loss -= math.Log(1 - p)
		}
		switch {
		case s.label && s.score >= threshold:
			tp++
		case s.label:
			fn++
		case s.score >= threshold:
			fp++
		default:
			tn++
		}
	}
	n := float64(len(scores))
	return Report{
		Accuracy: (tp + tn) / n, Precision: tp / max(tp+fp, 1), Recall: tp / max(tp+fn, 1), F1: 2 * tp / max(2*tp+fp+fn, 1),
		FalsePositiveRate: fp / max(fp+tn, 1), AUC: areaUnderCurve(scores), LogLoss: loss / n,
	}
}

func areaUnderCurve(scores []scored) float64 {
	sorted := slices.Clone(scores)
	slices.SortFunc(sorted, func(a, b scored) int { return cmp.Compare(a.score, b.score) })
	positives, ranks := 0.0, 0.0
	for i, s := range sorted {
		if s.label {
			positives++
			ranks += float64(i + 1)
		}
	}
	negatives := float64(len(sorted)) - positives
	if positives*negatives == 0 {
		return 0
	}
	return (ranks - positives*(positives+1)/2) / (positives * negatives)
}
