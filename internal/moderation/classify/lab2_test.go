package classify

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/feigeio/feige/internal/moderation/lexicon"
	"github.com/feigeio/feige/internal/moderation/normal"
)

// mlp: mean of embeddings -> relu(H) -> logit, plus linear part.
func labMLP(docs [][]uint32, labels []float64, bits, dim, hidden, epochs int, rate, drop float64, seed uint64) func([]uint32) float64 {
	size := 1 << bits
	rng := rand.New(rand.NewPCG(seed, 9))
	emb := make([]float32, size*dim)
	for i := range emb {
		emb[i] = float32(rng.NormFloat64() * 0.1)
	}
	ge := make([]float32, size)
	w1 := make([]float32, hidden*dim)
	g1 := make([]float32, hidden*dim)
	for i := range w1 {
		w1[i] = float32(rng.NormFloat64() / math.Sqrt(float64(dim)))
	}
	b1 := make([]float32, hidden)
	w2 := make([]float32, hidden)
	g2 := make([]float32, hidden)
	for i := range w2 {
		w2[i] = float32(rng.NormFloat64() / math.Sqrt(float64(hidden)))
	}
	bias := float32(0)
	x := make([]float32, dim)
	h := make([]float32, hidden)
	dx := make([]float32, dim)
	forward := func(f []uint32) float64 {
		clear(x)
		for _, k := range f {
			e := emb[int(k)*dim : int(k)*dim+dim]
			for d, v := range e {
				x[d] += v
			}
		}
		norm := float32(1 / math.Sqrt(float64(len(f)+1)))
		for d := range x {
			x[d] *= norm
		}
		z := bias
		for j := range h {
			s := b1[j]
			for d, v := range x {
				s += w1[j*dim+d] * v
			}
			if s < 0 {
				s = 0
			}
			h[j] = s
			z += s * w2[j]
		}
		return float64(z)
	}
	order := make([]int, len(docs))
	for i := range order {
		order[i] = i
	}
	var kept []uint32
	for e := 0; e < epochs; e++ {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		lr := float32(rate)
		for _, i := range order {
			f := docs[i]
			if drop > 0 {
				kept = kept[:0]
				for _, k := range f {
					if rng.Float64() > drop {
						kept = append(kept, k)
					}
				}
				f = kept
			}
			z := forward(f)
			g := float32(1/(1+math.Exp(-z)) - labels[i])
			bias -= lr * 0.02 * g
			clear(dx)
			for j := range h {
				if h[j] > 0 {
					gh := g * w2[j]
					gw := g * h[j]
					g2[j] += gw * gw
					w2[j] -= lr * gw / (float32(math.Sqrt(float64(g2[j]))) + 1e-2)
					b1[j] -= lr * 0.02 * gh
					for d := range x {
						dx[d] += gh * w1[j*dim+d]
						gg := gh * x[d]
						g1[j*dim+d] += gg * gg
						w1[j*dim+d] -= lr * gg / (float32(math.Sqrt(float64(g1[j*dim+d]))) + 1e-2)
					}
				}
			}
			norm := float32(1 / math.Sqrt(float64(len(f)+1)))
			s2 := float32(0)
			for d := range dx {
				dx[d] *= norm
				s2 += dx[d] * dx[d]
			}
			for _, k := range f {
				ge[k] += s2 / float32(dim)
				step := lr / (float32(math.Sqrt(float64(ge[k]))) + 1e-2)
				em := emb[int(k)*dim : int(k)*dim+dim]
				for d := range em {
					em[d] -= step * dx[d]
				}
			}
		}
	}
	return func(f []uint32) float64 {
		return forward(f)
	}
}

func TestLab2(t *testing.T) {
	if os.Getenv("LAB2") == "" {
		t.Skip("LAB2")
	}
	n, _ := normal.New()
	packs, _ := lexicon.Embedded()
	lex, _ := lexicon.New(n, packs)
	docs := labRead(t, "/work/shared/data/cold/train.csv")
	rng := rand.New(rand.NewPCG(5, 5))
	rng.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	labels := make([]float64, len(docs))
	for i, d := range docs {
		if d.label {
			labels[i] = 1
		}
	}
	feats := func(shape Shape) [][]uint32 {
		var text normal.Text
		var s lexicon.Scratch
		out := make([][]uint32, len(docs))
		for i, d := range docs {
			n.Read(d.text, &text)
			f := shape.Features(&text, lex.Find(&text, &s), nil)
			slices.Sort(f)
			out[i] = slices.Compact(f)
		}
		return out
	}
	lin := feats(Shape{Bits: 20, Runes: 2})
	lin3 := feats(Shape{Bits: 20, Runes: 3, Sounds: 2})
	f17 := feats(Shape{Bits: 17, Runes: 2})
	split := func(f [][]uint32) (tr [][]uint32, tl []float64, te [][]uint32, el []float64) {
		for i := range f {
			if i%5 != 0 {
				tr, tl = append(tr, f[i]), append(tl, labels[i])
			} else {
				te, el = append(te, f[i]), append(el, labels[i])
			}
		}
		return
	}
	show := func(name string, z []float64, el []float64, start time.Time) {
		var all []labScore
		right := 0
		for i := range z {
			all = append(all, labScore{z[i], el[i]})
			if (z[i] > 0) == (el[i] > .5) {
				right++
			}
		}
		fmt.Printf("%-36s acc %.4f ll %.4f auc %.4f %v\n", name, float64(right)/float64(len(z)), logloss(all), auc(all), time.Since(start).Round(time.Millisecond))
	}
	r := labRecipe{epochs: 6, rate: 2, l2: 1e-5, nb: 1}
	start := time.Now()
	tr, tl, te, el := split(lin)
	m := labTrain(tr, tl, 20, r, 1)
	var z1 []float64
	for _, f := range te {
		z1 = append(z1, m.score(f))
	}
	show("linear chars2", z1, el, start)
	tr, _, te, _ = split(lin3)
	m = labTrain(tr, tl, 20, r, 1)
	var z2 []float64
	for _, f := range te {
		z2 = append(z2, m.score(f))
	}
	show("linear chars3 sounds2", z2, el, start)
	tr, _, te, _ = split(f17)
	sum := make([]float64, len(te))
	for seed := uint64(1); seed <= 3; seed++ {
		for _, v := range []struct {
			epochs int
			rate   float64
			drop   float64
		}{{4, 0.05, 0.3}, {8, 0.05, 0.5}} {
			if seed > 1 && v.drop == 0.3 {
				continue
			}
			start = time.Now()
			score := labMLP(tr, tl, 17, 16, 16, v.epochs, v.rate, v.drop, seed)
			var z []float64
			for _, f := range te {
				z = append(z, score(f))
			}
			show(fmt.Sprint("mlp ", v), z, el, start)
			if v.drop == 0.5 {
				for i := range z {
					sum[i] += z[i]
				}
			}
		}
	}
	mix := make([]float64, len(te))
	for i := range mix {
		mix[i] = sum[i] / 3
	}
	show("mlp x3", mix, el, start)
	for i := range mix {
		mix[i] = (sum[i]/3 + z1[i]) / 2
	}
	show("mlp x3 + lin", mix, el, start)
	for i := range mix {
		mix[i] = (z1[i] + z2[i]) / 2
	}
	show("lin + lin", mix, el, start)
}
