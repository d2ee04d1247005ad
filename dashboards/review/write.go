package review

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// maxNote bounds reasons and notes, bytes.
const maxNote = 4000

// idempotencyHeader makes a request that comes again the same step.
const idempotencyHeader = "Idempotency-Key"

// stepID is the id of what a request leads to: the same for the same key of the same account.
func (c *call) stepID(what, subject string) (string, error) {
	key := c.Header.Get(idempotencyHeader)
	if len(key) > 200 {
		return "", problemf(http.StatusBadRequest, "bad_request", "%s has more than 200 bytes", idempotencyHeader)
	}
	if key == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return "", fmt.Errorf("make an id: %w", err)
		}
		return id.String(), nil
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{"feige/review/1", what, c.who.Key(), subject, key}, "\x00")))
	u, err := uuid.FromBytes(sum[:16])
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return u.String(), nil
}

func note(text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxNote || !utf8.ValidString(text) {
		return "", problemf(http.StatusBadRequest, "bad_request", "a reason or note has at most %d bytes of UTF-8", maxNote)
	}
	return text, nil
}

// claim makes the flag the reviewer's for a time.
func (a *API) claim(c *call) (int, any, error) {
	return a.writeClaim(c, c.now+a.cfg.Claim.Microseconds())
}

// release gives it back.
func (a *API) release(c *call) (int, any, error) { return a.writeClaim(c, c.now) }

func (a *API) writeClaim(c *call, until int64) (int, any, error) {
	a.book.mu.RLock()
	f, err := a.find(c)
	holder := ""
	if err == nil {
		holder = f.holder(c.now)
	}
	a.book.mu.RUnlock()
	if err != nil {
		return 0, nil, err
	}
	if holder != "" && holder != c.who.Account {
		return 0, nil, problemf(http.StatusConflict, "claimed", "another reviewer has it")
	}
	if holder == "" && until <= c.now {
		return a.flag(c)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return 0, nil, fmt.Errorf("make an id: %w", err)
	}
	record := &chatv1.ReviewClaim{ClaimId: id.String(), FlagId: f.flag.FlagId, ReviewerId: c.who.Account, AtUs: c.now, UntilUs: until}
	if err := a.records.write(c.Context(), schemas.TopicClaims, offenderKey(f.flag.Offender), record.ClaimId, record); err != nil {
		return 0, nil, err
	}
	// The log has decided: somebody else's claim may have come before.
	a.book.mu.RLock()
	holder = f.holder(c.now)
	a.book.mu.RUnlock()
	if until > c.now && holder != c.who.Account {
		return 0, nil, problemf(http.StatusConflict, "claimed", "another reviewer was first")
	}
	return a.flag(c)
}

// VerdictRequest is a reviewer's word on a flag.
type VerdictRequest struct {
	// FlagID in a bulk only; else the path names it.
	FlagID string `json:"flagId,omitempty"`
	// Ruling is confirmed or dismissed.
	Ruling string `json:"ruling"`
	// Category, where it is another than the detector's.
	Category string `json:"category,omitempty"`
	Note     string `json:"note,omitempty"`
	// Loss: it cost the other side money.
	Loss bool `json:"loss,omitempty"`
	// Again rules on a flag that has a ruling of a reviewer already.
	Again bool `json:"again,omitempty"`
}

func (a *API) verdict(c *call) (int, any, error) {
	var req VerdictRequest
	if err := c.body(&req); err != nil {
		return 0, nil, err
	}
	req.FlagID = c.PathValue("flag")
	if err := a.judge(c, req); err != nil {
		return 0, nil, err
	}
	return a.flag(c)
}

// judge writes a verdict.
func (a *API) judge(c *call, req VerdictRequest) error {
	ruling := map[string]chatv1.Ruling{"confirmed": chatv1.Ruling_RULING_CONFIRMED, "dismissed": chatv1.Ruling_RULING_DISMISSED}[req.Ruling]
	if ruling == chatv1.Ruling_RULING_UNSPECIFIED {
		return problemf(http.StatusBadRequest, "bad_request", "ruling is neither confirmed nor dismissed")
	}
	category := chatv1.Category_CATEGORY_UNSPECIFIED
	if req.Category != "" {
		var ok bool
		if category, ok = categoryOf(req.Category); !ok {
			return problemf(http.StatusBadRequest, "bad_request", "category is unknown")
		}
	}
	text, err := note(req.Note)
	if err != nil {
		return err
	}
	id, err := c.stepID("verdict", req.FlagID)
	if err != nil {
		return err
	}
	a.book.mu.RLock()
	f := a.book.files[req.FlagID]
	holder, judged, repeated := "", false, false
	if f != nil {
		holder, judged = f.holder(c.now), len(f.verdicts) > 0
		for _, v := range f.verdicts {
			repeated = repeated || v.VerdictId == id
		}
	}
	a.book.mu.RUnlock()
	switch {
	case f == nil:
		return problemf(http.StatusNotFound, "not_found", "no such flag on the desk")
	case repeated:
		return nil
	case holder != "" && holder != c.who.Account:
		return problemf(http.StatusConflict, "claimed", "another reviewer has it")
	case judged && !req.Again:
		return problemf(http.StatusConflict, "judged", "it has a verdict; say again to rule anew")
	}
	v := &chatv1.ReviewVerdict{VerdictId: id, FlagId: req.FlagID, Offender: f.flag.Offender, Ruling: ruling, Category: category, ReviewerId: c.who.Account,
		Note: text, AtUs: c.now, Flag: f.flag, Loss: req.Loss}
	step := &chatv1.Case{SourceOffset: -1, SourcePartition: -1, Step: &chatv1.Case_Verdict{Verdict: v}}
	return a.records.write(c.Context(), schemas.TopicCases, offenderKey(f.flag.Offender), id, step)
}

// Result is what became of one verdict of a bulk.
type Result struct {
	FlagID string `json:"flagId"`
	Status int    `json:"status"`
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// maxBulk is the most verdicts of one request.
const maxBulk = 100

func (a *API) verdicts(c *call) (int, any, error) {
	var req struct {
		Verdicts []VerdictRequest `json:"verdicts"`
	}
	if err := c.body(&req); err != nil {
		return 0, nil, err
	}
	if len(req.Verdicts) == 0 || len(req.Verdicts) > maxBulk {
		return 0, nil, problemf(http.StatusBadRequest, "bad_request", "verdicts: %d, want 1 to %d", len(req.Verdicts), maxBulk)
	}
	out := struct {
		Results []Result `json:"results"`
	}{}
	for _, v := range req.Verdicts {
		r := Result{FlagID: v.FlagID, Status: http.StatusOK}
		if err := a.judge(c, v); err != nil {
			p, ok := err.(*problem) //nolint:errorlint // judge's own
			if !ok {
				a.log.Warn("review: a verdict of a bulk cannot be written now", "error", err)
				p = away(err)
			}
			r.Status, r.Code, r.Detail = p.Status, p.Code, p.Detail
		}
		out.Results = append(out.Results, r)
	}
	return http.StatusOK, out, nil
}

// appeal files an objection of the punished side.
func (a *API) appeal(c *call) (int, any, error) {
	var req struct {
		Reason string `json:"reason"`
	}
	if err := c.body(&req); err != nil {
		return 0, nil, err
	}
	text, err := note(req.Reason)
	if err != nil {
		return 0, nil, err
	}
	if text == "" {
		return 0, nil, problemf(http.StatusBadRequest, "bad_request", "reason is empty")
	}
	id, err := c.stepID("appeal", c.PathValue("flag"))
	if err != nil {
		return 0, nil, err
	}
	kind, account := own(c.who)
	a.book.mu.RLock()
	f, err := a.find(c)
	if err == nil && offenderKey(f.flag.Offender) != schemas.OffenderKey(kind, account) {
		err = problemf(http.StatusNotFound, "not_found", "no such flag on the desk") // another's is not even known to be there
	}
	var filed *appealFile
	until := int64(0)
	if err == nil {
		until = a.appealUntil(f, c.now)
		for _, p := range f.appeals {
			if p.appeal.AppealId == id {
				filed = p
			}
		}
	}
	a.book.mu.RUnlock()
	switch {
	case err != nil:
		return 0, nil, err
	case filed != nil:
	case until == 0:
		return 0, nil, problemf(http.StatusConflict, "no_appeal", "nothing can be appealed here now: it is not confirmed, is being decided, or the time is over")
	default:
		step := &chatv1.Case{SourceOffset: -1, SourcePartition: -1, Step: &chatv1.Case_Appeal{Appeal: &chatv1.Appeal{
			AppealId: id, FlagId: f.flag.FlagId, Offender: f.flag.Offender, Reason: text, AtUs: c.now}}}
		if err := a.records.write(c.Context(), schemas.TopicCases, offenderKey(f.flag.Offender), id, step); err != nil {
			return 0, nil, err
		}
	}
	a.book.mu.RLock()
	defer a.book.mu.RUnlock()
	for _, p := range f.appeals {
		if p.appeal.AppealId == id {
			return http.StatusCreated, f.appealShape(p), nil
		}
	}
	return 0, nil, problemf(http.StatusNotFound, "not_found", "the flag has left the desk")
}

// decide answers an appeal.
func (a *API) decide(c *call) (int, any, error) {
	var req struct {
		Granted bool   `json:"granted"`
		Note    string `json:"note,omitempty"`
	}
	if err := c.body(&req); err != nil {
		return 0, nil, err
	}
	text, err := note(req.Note)
	if err != nil {
		return 0, nil, err
	}
	id := c.PathValue("appeal")
	a.book.mu.RLock()
	f := a.book.appeals[id]
	decided, granted, judge := false, false, ""
	if f != nil {
		for _, p := range f.appeals {
			if p.appeal.AppealId == id && p.decision != nil {
				decided, granted = true, p.decision.Granted
			}
		}
		if n := len(f.verdicts); n > 0 {
			judge = f.verdicts[n-1].ReviewerId
		}
	}
	a.book.mu.RUnlock()
	switch {
	case f == nil:
		return 0, nil, problemf(http.StatusNotFound, "not_found", "no such appeal on the desk")
	case decided && granted == req.Granted: // the same again
	case decided:
		return 0, nil, problemf(http.StatusConflict, "decided", "the appeal was decided otherwise")
	case judge == c.who.Account:
		return 0, nil, problemf(http.StatusForbidden, "own_verdict", "another reviewer than the one who ruled decides an appeal")
	default:
		d := &chatv1.AppealDecision{AppealId: id, FlagId: f.flag.FlagId, Offender: f.flag.Offender, Granted: req.Granted, ReviewerId: c.who.Account, Note: text, AtUs: c.now}
		step := &chatv1.Case{SourceOffset: -1, SourcePartition: -1, Step: &chatv1.Case_AppealDecision{AppealDecision: d}}
		if err := a.records.write(c.Context(), schemas.TopicCases, offenderKey(f.flag.Offender), "decision "+id, step); err != nil {
			return 0, nil, err
		}
	}
	a.book.mu.RLock()
	defer a.book.mu.RUnlock()
	for _, p := range f.appeals {
		if p.appeal.AppealId == id {
			return http.StatusOK, f.appealShape(p), nil
		}
	}
	return 0, nil, problemf(http.StatusNotFound, "not_found", "the appeal has left the desk")
}
