package moderation

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/feigeio/feige/internal/moderation/classify"
	"github.com/feigeio/feige/internal/moderation/contact"
	"github.com/feigeio/feige/internal/moderation/lexicon"
	"github.com/feigeio/feige/internal/moderation/normal"
	"github.com/feigeio/feige/internal/policy"
)

// Dependencies of a moderator.
type Dependencies struct {
	Logger *slog.Logger
}

// Moderator judges texts and attachments. It is safe for concurrent use.
type Moderator struct {
	config     Config
	logger     *slog.Logger
	normaliser *normal.Normaliser
	abuse, ads *classify.Model
	rules      atomic.Pointer[rules]
	scratch    sync.Pool
	contacts   sync.Map // of the policy's version: *contact.Detector
}

// rules are what can be reloaded; a verdict is made with one set of them.
type rules struct {
	lexicon *lexicon.Lexicon
	hashes  map[string]string
	version string
}

// scratch is the memory of one verdict being made.
type scratch struct {
	text     normal.Text
	lexicon  lexicon.Scratch
	contact  contact.Scratch
	classify classify.Scratch
}

// New builds a moderator from the embedded packs and models and the configured directories.
func New(config Config, deps Dependencies) (*Moderator, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("moderation.%w", err)
	}
	n, err := normal.New()
	if err != nil {
		return nil, fmt.Errorf("building the normaliser: %w", err)
	}
	m := &Moderator{config: config, logger: deps.Logger, normaliser: n}
	if m.logger == nil {
		m.logger = slog.New(slog.DiscardHandler)
	}
	if m.abuse, err = classify.Abuse(); err != nil {
		return nil, err
	}
	if m.ads, err = classify.Ads(); err != nil {
		return nil, err
	}
	m.scratch.New = func() any { return new(scratch) }
	if err := m.Reload(); err != nil {
		return nil, err
	}
	return m, nil
}

// Version names the word packs and hash lists in force.
func (m *Moderator) Version() string { return m.rules.Load().version }

// Subject is what a verdict is about.
type Subject struct {
	Text string
	// Side of the sender; empty: categories of both sides apply.
	Side policy.Side
	// Policy in force at the event's time.
	Policy *policy.Policy
}

// Check judges a text. Flags come in the order of their places, at most one for overlapping findings of one
// sub-kind.
func (m *Moderator) Check(subject Subject) []Flag {
	return m.Judge(subject).Flags
}

// Judgement is what is to be said of a text.
type Judgement struct {
	// Flags as Check gives them.
	Flags []Flag
	// Advertisement is set when the text reads like one: to say it over and over is 2.7.
	Advertisement *Advertisement
}

// Judge is Check, and tells advertisements.
func (m *Moderator) Judge(subject Subject) Judgement {
	if subject.Text == "" {
		return Judgement{}
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	r := m.rules.Load()
	m.normaliser.Read(subject.Text, &s.text)
	v := verdict{moderator: m, subject: subject, rules: r, scratch: s}
	v.hits = r.lexicon.Find(&s.text, &s.lexicon)
	v.contactInfo()
	v.terms()
	v.classifiers()
	if len(v.flags) > 1 {
		v.merge()
	}
	return Judgement{v.flags, v.advertisement()}
}

// verdict is one being made.
type verdict struct {
	*scratch
	moderator *Moderator
	subject   Subject
	rules     *rules
	hits      []lexicon.Hit
	found     []contact.Finding
	flags     []Flag
}

// soundsLike weakens a term that is written otherwise than the pack has it.
const soundsLike = 0.92

func (v *verdict) terms() {
	for _, h := range v.hits {
		if !lexicon.Flags(h.Term.Category) || v.inPermittedLink(h) {
			continue
		}
		confidence := h.Term.Confidence
		if h.Sound {
			confidence *= soundsLike
		}
		from, to := v.text.Span(int(h.From), int(h.To))
		v.add(Flag{
			Category: h.Term.Category, Kind: h.Term.Kind, SubKind: h.Term.Kind, From: from, To: to,
			Evidence: h.Term.Text, Detector: DetectorLexicon, Version: v.rules.lexicon.PackVersion(h.Term.Pack), Confidence: confidence,
		})
	}
}

func (v *verdict) inPermittedLink(h lexicon.Hit) bool {
	for _, link := range v.scratch.contact.Cleared() {
		if int(h.From) >= link[0] && int(h.To) <= link[1] {
			return true
		}
	}
	return false
}

func (v *verdict) contactInfo() {
	v.found = v.moderator.contactDetector(v.subject.Policy).Find(&v.text, v.hits, &v.scratch.contact)
	for _, f := range v.found {
		from, to := v.text.Span(f.From, f.To)
		v.add(Flag{
			Category: policy.CategoryThirdPartyInfo, Kind: policyKinds[f.Kind], SubKind: f.Kind, From: from, To: to,
			Evidence: f.Evidence, Detector: DetectorContact, Version: v.rules.lexicon.PackVersion("cues"), Confidence: f.Confidence,
		})
	}
}

// maxFlags of one text; the first are kept.
const maxFlags = 100

// add drops what is too unsure, and what does not bind the sender's side, and fills in the severity.
func (v *verdict) add(f Flag) {
	if f.Confidence < v.moderator.config.MinConfidence || len(v.flags) >= maxFlags {
		return
	}
	if v.subject.Policy != nil {
		category, ok := v.subject.Policy.Violations.Category(f.Category)
		if !ok || v.subject.Side != "" && !category.Binds(v.subject.Side) {
			return
		}
		f.Severity = category.Severity
	}
	v.flags = append(v.flags, f)
}

// merge keeps the surest of overlapping flags of one category and sub-kind.
func (v *verdict) merge() {
	slices.SortStableFunc(v.flags, func(a, b Flag) int {
		return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.SubKind, b.SubKind), cmp.Compare(a.From, b.From), cmp.Compare(b.To, a.To))
	})
	kept := v.flags[:1]
	for _, f := range v.flags[1:] {
		last := &kept[len(kept)-1]
		if f.Category != last.Category || f.SubKind != last.SubKind || f.From >= last.To {
			kept = append(kept, f)
			continue
		}
		if f.Confidence > last.Confidence {
			*last = f
		}
	}
	v.flags = kept
	slices.SortStableFunc(v.flags, func(a, b Flag) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(b.Confidence, a.Confidence))
	})
}

// contactDetector is the detector with the policy's domains.
func (m *Moderator) contactDetector(p *policy.Policy) *contact.Detector {
	key, domains := "", []string(nil)
	if p != nil {
		key, domains = p.Version, p.Detection.PermittedLinkDomains
	}
	if d, ok := m.contacts.Load(key); ok {
		return d.(*contact.Detector)
	}
	d, _ := m.contacts.LoadOrStore(key, contact.New(m.normaliser, domains))
	return d.(*contact.Detector)
}

// Normalised is a text as the detectors read it, with its separators.
func (m *Moderator) Normalised(text string) string {
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	m.normaliser.Read(text, &s.text)
	return string(s.text.Runes)
}
