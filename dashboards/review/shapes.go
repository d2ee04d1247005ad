package review

import (
	"sort"
	"strings"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Flag is a suspected violation, without the words.
type Flag struct {
	FlagID          string  `json:"flagId"`
	OffenderKind    string  `json:"offenderKind"`
	OffenderID      string  `json:"offenderId"`
	ShopID          string  `json:"shopId"`
	ConversationID  string  `json:"conversationId,omitempty"`
	EventID         string  `json:"eventId,omitempty"`
	ActorID         string  `json:"actorId,omitempty"`
	AtUS            int64   `json:"atUs"`
	Category        string  `json:"category"`
	SubKind         string  `json:"subKind,omitempty"`
	Severity        string  `json:"severity"`
	Confidence      float64 `json:"confidence"`
	Detector        string  `json:"detector"`
	DetectorVersion string  `json:"detectorVersion,omitempty"`
	PolicyVersion   string  `json:"policyVersion,omitempty"`
	AutoConfirmed   bool    `json:"autoConfirmed"`
	Ruling          string  `json:"ruling"`
	ClaimedBy       string  `json:"claimedBy,omitempty"`
	ClaimedUntilUS  int64   `json:"claimedUntilUs,omitempty"`
}

// Verdict is a reviewer's word.
type Verdict struct {
	VerdictID  string `json:"verdictId"`
	FlagID     string `json:"flagId"`
	Ruling     string `json:"ruling"`
	Category   string `json:"category,omitempty"`
	ReviewerID string `json:"reviewerId,omitempty"`
	Note       string `json:"note,omitempty"`
	Loss       bool   `json:"loss,omitempty"`
	AtUS       int64  `json:"atUs"`
}

// Appeal is an objection and what became of it.
type Appeal struct {
	AppealID     string `json:"appealId"`
	FlagID       string `json:"flagId"`
	OffenderKind string `json:"offenderKind"`
	OffenderID   string `json:"offenderId"`
	Reason       string `json:"reason"`
	AtUS         int64  `json:"atUs"`
	State        string `json:"state"`
	DecidedAtUS  int64  `json:"decidedAtUs,omitempty"`
	ReviewerID   string `json:"reviewerId,omitempty"`
	Note         string `json:"note,omitempty"`
}

// Sanction is an effect of a confirmed violation.
type Sanction struct {
	SanctionID   string   `json:"sanctionId"`
	FlagID       string   `json:"flagId"`
	Kind         string   `json:"kind"`
	Category     string   `json:"category"`
	FromUS       int64    `json:"fromUs"`
	UntilUS      int64    `json:"untilUs,omitempty"`
	Points       int32    `json:"points,omitempty"`
	Restrictions []string `json:"restrictions,omitempty"`
	Offence      int32    `json:"offence,omitempty"`
	Reversed     bool     `json:"reversed"`
	DecidedAtUS  int64    `json:"decidedAtUs"`
}

// Case is a flag with everything about it.
type Case struct {
	Flag      Flag       `json:"flag"`
	Verdicts  []Verdict  `json:"verdicts"`
	Appeals   []Appeal   `json:"appeals"`
	Sanctions []Sanction `json:"sanctions"`
	// AppealUntilUS is until when the next appeal may be filed; 0: none may.
	AppealUntilUS int64 `json:"appealUntilUs,omitempty"`
}

// name is a generated enum's value as the API says it: without its prefix, in lower case.
func name(text, prefix string) string { return strings.ToLower(strings.TrimPrefix(text, prefix)) }

func categoryName(c chatv1.Category) string { return name(c.String(), "CATEGORY_") }

func categoryOf(text string) (chatv1.Category, bool) {
	c, ok := chatv1.Category_value["CATEGORY_"+strings.ToUpper(text)]
	return chatv1.Category(c), ok && c != 0 && text == strings.ToLower(text)
}

func rulingName(r chatv1.Ruling) string {
	if r == chatv1.Ruling_RULING_UNSPECIFIED {
		return "open"
	}
	return name(r.String(), "RULING_")
}

func kindName(o *chatv1.Offender) string { return name(o.GetKind().String(), "OFFENDER_KIND_") }

// shape is the flag of a file as of now. The book is locked.
func (f *file) shape(nowUS int64) Flag {
	g := f.flag
	out := Flag{FlagID: g.FlagId, OffenderKind: kindName(g.Offender), OffenderID: g.Offender.GetId(), ShopID: g.ShopId, ConversationID: g.ConversationId,
		EventID: g.EventId, ActorID: g.ActorId, AtUS: g.AtUs, Category: categoryName(g.Category), SubKind: g.SubKind, Severity: name(g.Severity.String(), "SEVERITY_"),
		Confidence: g.Confidence, Detector: g.Detector, DetectorVersion: g.DetectorVersion, PolicyVersion: g.PolicyVersion, AutoConfirmed: g.AutoConfirmed,
		Ruling: rulingName(f.ruling())}
	if out.ClaimedBy = f.holder(nowUS); out.ClaimedBy != "" {
		out.ClaimedUntilUS = f.claim.UntilUs
	}
	return out
}

func verdictShape(v *chatv1.ReviewVerdict) Verdict {
	out := Verdict{VerdictID: v.VerdictId, FlagID: v.FlagId, Ruling: rulingName(v.Ruling), ReviewerID: v.ReviewerId, Note: v.Note, Loss: v.Loss, AtUS: v.AtUs}
	if v.Category != chatv1.Category_CATEGORY_UNSPECIFIED {
		out.Category = categoryName(v.Category)
	}
	return out
}

func (f *file) appealShape(a *appealFile) Appeal {
	out := Appeal{AppealID: a.appeal.AppealId, FlagID: f.flag.FlagId, OffenderKind: kindName(f.flag.Offender), OffenderID: f.flag.Offender.GetId(),
		Reason: a.appeal.Reason, AtUS: a.appeal.AtUs, State: "open"}
	if d := a.decision; d != nil {
		out.State, out.DecidedAtUS, out.ReviewerID, out.Note = "refused", d.AtUs, d.ReviewerId, d.Note
		if d.Granted {
			out.State = "granted"
		}
	}
	return out
}

func sanctionShape(s *chatv1.Sanction) Sanction {
	return Sanction{SanctionID: s.SanctionId, FlagID: s.FlagId, Kind: name(s.Kind.String(), "SANCTION_KIND_"), Category: categoryName(s.Category), FromUS: s.FromUs,
		UntilUS: s.UntilUs, Points: s.Points, Restrictions: s.Restrictions, Offence: s.Offence, Reversed: s.Reversed, DecidedAtUS: s.DecidedAtUs}
}

// caseOf is everything about a file. The book is locked.
func (a *API) caseOf(f *file, nowUS int64) Case {
	c := Case{Flag: f.shape(nowUS), Verdicts: []Verdict{}, Appeals: []Appeal{}, Sanctions: []Sanction{}, AppealUntilUS: a.appealUntil(f, nowUS)}
	for _, v := range f.verdicts {
		c.Verdicts = append(c.Verdicts, verdictShape(v))
	}
	for _, p := range f.appeals {
		c.Appeals = append(c.Appeals, f.appealShape(p))
	}
	for _, s := range a.book.sanctions[offenderKey(f.flag.Offender)] {
		if s.FlagId == f.flag.FlagId {
			c.Sanctions = append(c.Sanctions, sanctionShape(s))
		}
	}
	sort.Slice(c.Sanctions, func(i, j int) bool { return c.Sanctions[i].SanctionID < c.Sanctions[j].SanctionID })
	return c
}

// appealUntil is until when the next appeal may be filed (rules, "Verification"); 0: none may now. The book is locked.
func (a *API) appealUntil(f *file, nowUS int64) int64 {
	from := f.confirmedAtUS()
	if from == 0 || f.ruling() != chatv1.Ruling_RULING_CONFIRMED {
		return 0
	}
	allowed := a.deps.Policy.At(from).Verification.AppealsUS
	n := len(f.appeals)
	if n >= len(allowed) {
		return 0
	}
	if n > 0 {
		last := f.appeals[n-1].decision
		if last == nil || last.Granted {
			return 0
		}
		from = last.AtUs
	}
	if until := from + allowed[n]; nowUS < until {
		return until
	}
	return 0
}
