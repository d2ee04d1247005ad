package classify

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/internal/moderation/lexicon"
	"github.com/feigeio/feige/internal/moderation/normal"
)

type labDoc struct {
	text  string
	label bool
	topic string
}

func labRead(t *testing.T, path string) []labDoc {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var docs []labDoc
	for _, r := range rows[1:] {
		if len(r) == 2 {
			docs = append(docs, labDoc{text: r[1], label: r[0] == "1"})
		} else {
			docs = append(docs, labDoc{text: r[4], label: r[3] == "1", topic: r[2]})
		}
	}
	return docs
}

type labModel struct {
	w    []float32
	bias float32
}

func (m *labModel) score(f []uint32) float64 {
	s := float32(0)
	for _, k := range f {
		s += m.w[k]
	}
	return float64(s)/math.Sqrt(float64(len(f)+1)) + float64(m.bias)
}

type labRecipe struct {
	epochs   int
	rate     float64
	l2       float64
	nb       float64
	smooth   float64
	unique   bool
	binary   bool
	adagrad  bool
}

func labTrain(docs [][]uint32, labels []float64, bits int, r labRecipe, seed uint64) *labModel {
	size := 1 << bits
	scale := make([]float32, size)
	for i := range scale {
		scale[i] = 1
	}
	if r.nb > 0 {
		p, n := make([]float32, size), make([]float32, size)
		sp, sn := 0.0, 0.0
		for i, f := range docs {
			for _, k := range f {
				if labels[i] > 0.5 {
					p[k]++
					sp++
				} else {
					n[k]++
					sn++
				}
			}
		}
		for k := range scale {
			a := math.Log((float64(p[k])+1)/(sp+float64(size))) - math.Log((float64(n[k])+1)/(sn+float64(size)))
			scale[k] = float32((1-r.nb) + r.nb*math.Abs(a))
		}
	}
	w, sum, last := make([]float32, size), make([]float32, size), make([]int32, size)
	g2 := make([]float32, size)
	var bias float64
	rng := rand.New(rand.NewPCG(seed, 1))
	order := make([]int, len(docs))
	for i := range order {
		order[i] = i
	}
	step := int32(0)
	var biasSum float64
	for e := 0; e < r.epochs; e++ {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			step++
			f := docs[i]
			norm := 1 / math.Sqrt(float64(len(f)+1))
			s := float32(0)
			for _, k := range f {
				s += w[k] * scale[k]
			}
			z := float64(s)*norm + bias
			y := labels[i]
			y = y*(1-r.smooth) + r.smooth/2
			g := 1/(1+math.Exp(-z)) - y
			bias -= 0.02 * g
			biasSum += bias
			for _, k := range f {
				gk := float32(g*norm)*scale[k] + float32(r.l2)*w[k]
				// averaged: lazily add the time that the weight stood
				sum[k] += w[k] * float32(step-last[k])
				last[k] = step
				if r.adagrad {
					g2[k] += gk * gk
					w[k] -= float32(r.rate) * gk / (float32(math.Sqrt(float64(g2[k]))) + 1e-3)
				} else {
					w[k] -= float32(r.rate) * gk
				}
			}
		}
	}
	m := &labModel{w: make([]float32, size), bias: float32(biasSum / float64(step))}
	for k := range w {
		sum[k] += w[k] * float32(step-last[k])
		m.w[k] = sum[k] / float32(step) * scale[k]
	}
	return m
}

func TestLab(t *testing.T) {
	if os.Getenv("LAB") == "" {
		t.Skip("LAB")
	}
	n, err := normal.New()
	if err != nil {
		t.Fatal(err)
	}
	packs, _ := lexicon.Embedded()
	lex, err := lexicon.New(n, packs)
	if err != nil {
		t.Fatal(err)
	}
	docs := labRead(t, "/work/shared/data/cold/train.csv")
	rng := rand.New(rand.NewPCG(5, 5))
	rng.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	// near-duplicates must not stand on both sides: fold by text
	labels := make([]float64, len(docs))
	for i, d := range docs {
		if d.label {
			labels[i] = 1
		}
	}
	run := func(name string, shape Shape, r labRecipe) {
		start := time.Now()
		var text normal.Text
		var s lexicon.Scratch
		feats := make([][]uint32, len(docs))
		for i, d := range docs {
			n.Read(d.text, &text)
			hits := lex.Find(&text, &s)
			f := shape.Features(&text, hits, nil)
			if r.unique {
				slices.Sort(f)
				f = slices.Compact(f)
			}
			feats[i] = f
		}
		const folds = 5
		right, count := 0, 0
		var all []labScore
		for fold := 0; fold < labFolds(); fold++ {
			var tf [][]uint32
			var tl []float64
			for i := range feats {
				if i%folds != fold {
					tf, tl = append(tf, feats[i]), append(tl, labels[i])
				}
			}
			m := labTrain(tf, tl, shape.Bits, r, 1)
			for i := range feats {
				if i%folds == fold {
					z := m.score(feats[i])
					all = append(all, labScore{z, labels[i]})
					if labDump {
						fmt.Fprintf(labFile(), "%.3f\t%v\t%s\t%s\n", z, labels[i], docs[i].topic, strings.ReplaceAll(docs[i].text, "\n", " "))
					}
					if (z > 0) == (labels[i] > 0.5) {
						right++
					}
					count++
				}
			}
		}
		fmt.Printf("%-40s acc %.4f  ll %.4f auc %.4f  (%v)\n", name, float64(right)/float64(count), logloss(all), auc(all), time.Since(start).Round(time.Millisecond))
	}
	for _, only := range strings.Split(os.Getenv("LAB"), ",") {
		labExperiments(only, run)
	}
}

var labDump bool

type labScore struct{ z, y float64 }

func logloss(all []labScore) float64 {
	s := 0.0
	for _, a := range all {
		p := 1 / (1 + math.Exp(-a.z))
		p = min(max(p, 1e-9), 1-1e-9)
		s -= a.y*math.Log(p) + (1-a.y)*math.Log(1-p)
	}
	return s / float64(len(all))
}

func auc(all []labScore) float64 {
	s := slices.Clone(all)
	slices.SortFunc(s, func(a, b labScore) int {
		if a.z < b.z {
			return -1
		} else if a.z > b.z {
			return 1
		}
		return 0
	})
	pos, sum := 0.0, 0.0
	for i, a := range s {
		if a.y > 0.5 {
			pos++
			sum += float64(i + 1)
		}
	}
	neg := float64(len(s)) - pos
	return (sum - pos*(pos+1)/2) / (pos * neg)
}

func labExperiments(only string, run func(string, Shape, labRecipe)) {
	base := labRecipe{epochs: 6, rate: 0.5, l2: 1e-5, unique: true}
	switch only {
	case "1":
		run("chars3", Shape{Bits: 20, Runes: 3}, base)
		run("chars4", Shape{Bits: 20, Runes: 4}, base)
		run("chars3 sounds3", Shape{Bits: 20, Runes: 3, Sounds: 3}, base)
		run("chars3 sounds3 words", Shape{Bits: 20, Runes: 3, Sounds: 3, Words: true}, base)
		run("chars3 words skips", Shape{Bits: 20, Runes: 3, Skips: true, Words: true}, base)
		r := base
		r.nb = 0.5
		run("chars3 nb.5", Shape{Bits: 20, Runes: 3}, r)
		r = base
		r.l2 = 1e-4
		run("chars3 l2 1e-4", Shape{Bits: 20, Runes: 3}, r)
		r = base
		r.adagrad, r.rate = true, 0.1
		run("chars3 adagrad", Shape{Bits: 20, Runes: 3}, r)
	case "3":
		r := base
		r.nb = 1
		for _, v := range []struct {
			rate, l2 float64
			epochs   int
		}{{1, 1e-5, 6}, {2, 1e-5, 6}, {4, 1e-5, 6}, {2, 1e-4, 6}, {2, 1e-5, 12}, {1, 1e-4, 12}, {1, 3e-4, 12}} {
			r.rate, r.l2, r.epochs = v.rate, v.l2, v.epochs
			run(fmt.Sprint("chars2 nb1 ", v), Shape{Bits: 20, Runes: 2}, r)
			run(fmt.Sprint("chars2 sounds2 words", v), Shape{Bits: 20, Runes: 2, Sounds: 2, Words: true}, r)
		}
	case "dump":
		r := base
		r.nb, r.rate = 1, 2
		labDump = true
		run("chars2", Shape{Bits: 20, Runes: 2}, r)
		labDump = false
	case "2":
		r := base
		for _, nb := range []float64{0.5, 0.8, 1} {
			for _, rate := range []float64{0.3, 1} {
				r.nb, r.rate = nb, rate
				run(fmt.Sprint("chars4 sounds3 nb ", nb, " rate ", rate), Shape{Bits: 20, Runes: 4, Sounds: 3}, r)
			}
		}
		r.nb, r.rate = 1, 0.5
		run("chars2 nb1", Shape{Bits: 20, Runes: 2}, r)
		run("chars3 nb1", Shape{Bits: 20, Runes: 3}, r)
		run("chars4 nb1", Shape{Bits: 20, Runes: 4}, r)
		run("chars4 nb1 bits21", Shape{Bits: 21, Runes: 4}, r)
		run("chars3 sounds4 words skip nb1", Shape{Bits: 20, Runes: 3, Sounds: 4, Words: true, Skips: true}, r)
		r.epochs = 3
		run("chars3 nb1 e3", Shape{Bits: 20, Runes: 3}, r)
		r.epochs, r.smooth = 6, 0.1
		run("chars3 nb1 smooth", Shape{Bits: 20, Runes: 3}, r)
	}
}

var labOut *os.File

func labFile() *os.File {
	if labOut == nil {
		labOut, _ = os.Create("/tmp/oof.tsv")
	}
	return labOut
}

func labFolds() int {
	if labDump {
		return 5
	}
	return 2
}
