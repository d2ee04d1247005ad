package review

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"sort"
	"strings"

	"github.com/google/uuid"

	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Page is a part of a list. Next, if not empty, is the cursor of what follows.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// A cursor names the last item of a page: when it was, and its id.
func cursorOf(at int64, id string) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", at, id))
}

func parseCursor(text string) (at int64, id string, err error) {
	if text == "" {
		return -1 << 62, "", nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		before, after, ok := strings.Cut(string(data), " ")
		if _, scanned := fmt.Sscanf(before, "%d", &at); scanned == nil && ok {
			return at, after, nil
		}
	}
	return 0, "", problemf(http.StatusBadRequest, "bad_request", "cursor is none of this list")
}

func (c *call) limit() (int, error) {
	n, err := c.number("limit", 50, 1, 200)
	return int(n), err
}

// queue lists flags that wait for a verdict, oldest first.
func (a *API) queue(c *call) (int, any, error) {
	q := c.URL.Query()
	limit, err := c.limit()
	if err != nil {
		return 0, nil, err
	}
	least, err := c.number("minConfidence", 0, 0, 1)
	if err != nil {
		return 0, nil, err
	}
	side, err := c.oneOf("side", "consumer", "shop")
	if err != nil {
		return 0, nil, err
	}
	claimed, err := c.oneOf("claimed", "mine", "free", "any")
	if err != nil {
		return 0, nil, err
	}
	ruling, err := c.oneOf("ruling", "open", "confirmed", "dismissed", "any")
	if err != nil {
		return 0, nil, err
	}
	if ruling == "" {
		ruling = "open"
	}
	category := q.Get("category")
	if _, ok := categoryOf(category); category != "" && !ok {
		return 0, nil, problemf(http.StatusBadRequest, "bad_request", "category is unknown")
	}
	after, afterID, err := parseCursor(q.Get("cursor"))
	if err != nil {
		return 0, nil, err
	}
	a.book.mu.RLock()
	defer a.book.mu.RUnlock()
	var found []Flag
	for _, f := range a.book.order {
		g := f.flag
		holder := f.holder(c.now)
		if ruling != "any" && rulingName(f.ruling()) != ruling || g.AtUs < after || g.AtUs == after && g.FlagId <= afterID ||
			category != "" && categoryName(g.Category) != category || q.Get("shop") != "" && g.ShopId != q.Get("shop") ||
			side != "" && kindName(g.Offender) != side || g.Confidence < least ||
			claimed == "mine" && holder != c.who.Account || claimed == "free" && holder != "" {
			continue
		}
		found = append(found, f.shape(c.now))
	}
	sort.Slice(found, func(i, j int) bool {
		if found[i].AtUS != found[j].AtUS {
			return found[i].AtUS < found[j].AtUS
		}
		return found[i].FlagID < found[j].FlagID
	})
	return http.StatusOK, pageOf(found, limit, func(f Flag) (int64, string) { return f.AtUS, f.FlagID }), nil
}

func pageOf[T any](all []T, limit int, place func(T) (int64, string)) Page[T] {
	p := Page[T]{Items: []T{}}
	p.Items = append(p.Items, all[:min(limit, len(all))]...)
	if len(all) > limit {
		p.Next = cursorOf(place(all[limit-1]))
	}
	return p
}

// find is the file that the path names.
func (a *API) find(c *call) (*file, error) {
	f := a.book.files[c.PathValue("flag")]
	if f == nil {
		return nil, problemf(http.StatusNotFound, "not_found", "no such flag on the desk")
	}
	return f, nil
}

func (a *API) flag(c *call) (int, any, error) {
	a.book.mu.RLock()
	defer a.book.mu.RUnlock()
	f, err := a.find(c)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.caseOf(f, c.now), nil
}

// Conversation is what a reviewer reads of a case.
type Conversation struct {
	ShopID         string `json:"shopId"`
	ConversationID string `json:"conversationId"`
	Lines          []Line `json:"lines"`
	// SpanFrom and SpanTo are the finding in the flagged message, in Unicode code points, half-open; both 0: not in its text.
	SpanFrom int32 `json:"spanFrom"`
	SpanTo   int32 `json:"spanTo"`
	// Evidence is what the detector saw after normalising.
	Evidence string `json:"evidence,omitempty"`
	// RelatedEventIDs are other events that belong to it.
	RelatedEventIDs []string `json:"relatedEventIds,omitempty"`
}

// conversation shows the exact words around the flagged event, once the reading is recorded.
func (a *API) conversation(c *call) (int, any, error) {
	reason := strings.TrimSpace(c.URL.Query().Get("reason"))
	if len(reason) > 500 {
		return 0, nil, problemf(http.StatusBadRequest, "bad_request", "reason has more than 500 bytes")
	}
	if c.who.Role == signin.Auditor && reason == "" {
		return 0, nil, problemf(http.StatusBadRequest, "reason_needed", "an auditor says why")
	}
	if reason == "" {
		reason = "review of a flag"
	}
	limit, err := c.number("limit", 60, 1, 200)
	if err != nil {
		return 0, nil, err
	}
	a.book.mu.RLock()
	f, err := a.find(c)
	a.book.mu.RUnlock()
	if err != nil {
		return 0, nil, err
	}
	g := f.flag // it never changes
	if a.deps.Texts == nil {
		return 0, nil, ErrTextsAway
	}
	out := Conversation{ShopID: g.ShopId, ConversationID: g.ConversationId, Lines: []Line{}, SpanFrom: g.SpanFrom, SpanTo: g.SpanTo,
		Evidence: g.Evidence, RelatedEventIDs: g.RelatedEventIds}
	if g.ConversationId != "" {
		lines, err := a.deps.Texts.Around(c.Context(), g.ShopId, g.ConversationId, g.AtUs, int(limit))
		if err != nil {
			return 0, nil, err
		}
		out.Lines = append(out.Lines, lines...)
	}
	for i := range out.Lines {
		out.Lines[i].Flagged = out.Lines[i].EventID == g.EventId
	}
	id, err := uuid.NewV7()
	if err != nil {
		return 0, nil, fmt.Errorf("make an id: %w", err)
	}
	// Nothing is shown before Kafka has the record of it.
	err = a.records.write(c.Context(), schemas.TopicReads, schemas.EventKey(g.ShopId, g.ConversationId), "", &chatv1.ReadRecord{
		ReadId: id.String(), AtUs: c.now, AccountId: c.who.Account, Role: string(c.who.Role), ShopId: g.ShopId, ConversationId: g.ConversationId,
		What: "flag", Reason: reason, Address: c.address, Messages: uint32(len(out.Lines)), //nolint:gosec // at most 200
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, out, nil
}

// Account is what is known of an offender.
type Account struct {
	OffenderKind string     `json:"offenderKind"`
	OffenderID   string     `json:"offenderId"`
	Cases        []Case     `json:"cases"`
	Sanctions    []Sanction `json:"sanctions"`
	// Points in force now, of a shop.
	Points int32 `json:"points"`
	// Banned, and MutedUntilUS (0: not muted now, -1: without end).
	Banned       bool  `json:"banned"`
	MutedUntilUS int64 `json:"mutedUntilUs"`
}

func (a *API) account(c *call) (int, any, error) {
	kind := c.PathValue("kind")
	if kind != "consumer" && kind != "shop" {
		return 0, nil, problemf(http.StatusNotFound, "not_found", "an account is a consumer's or a shop's")
	}
	return http.StatusOK, a.accountOf(kind, c.PathValue("id"), c.now), nil
}

func (a *API) accountOf(kind, id string, nowUS int64) Account {
	out := Account{OffenderKind: kind, OffenderID: id, Cases: []Case{}, Sanctions: []Sanction{}}
	key := schemas.OffenderKey(kind, id)
	a.book.mu.RLock()
	defer a.book.mu.RUnlock()
	files := a.book.accounts[key]
	for i := len(files) - 1; i >= 0 && len(out.Cases) < 200; i-- {
		out.Cases = append(out.Cases, a.caseOf(files[i], nowUS))
	}
	for _, s := range a.book.sanctions[key] {
		out.Sanctions = append(out.Sanctions, sanctionShape(s))
		if s.Reversed || nowUS < s.FromUs || s.UntilUs != 0 && nowUS >= s.UntilUs {
			continue
		}
		switch s.Kind {
		case chatv1.SanctionKind_SANCTION_KIND_POINTS:
			out.Points += s.Points
		case chatv1.SanctionKind_SANCTION_KIND_BAN:
			out.Banned = true
		case chatv1.SanctionKind_SANCTION_KIND_MUTE:
			if s.UntilUs == 0 {
				out.MutedUntilUS = -1
			} else if out.MutedUntilUS >= 0 {
				out.MutedUntilUS = max(out.MutedUntilUS, s.UntilUs)
			}
		}
	}
	sort.Slice(out.Sanctions, func(i, j int) bool {
		x, y := out.Sanctions[i], out.Sanctions[j]
		if x.DecidedAtUS != y.DecidedAtUS {
			return x.DecidedAtUS > y.DecidedAtUS
		}
		return x.SanctionID < y.SanctionID
	})
	return out
}

// own is the offender that the bearer answers for.
func own(who signin.Identity) (kind, id string) {
	if who.Role == signin.Consumer {
		return "consumer", who.Account
	}
	return "shop", who.Shop
}

// mine shows a side what was decided about it: not what waits, and not who decided.
func (a *API) mine(c *call) (int, any, error) {
	kind, id := own(c.who)
	out := a.accountOf(kind, id, c.now)
	kept := []Case{}
	for _, k := range out.Cases {
		if k.Flag.Ruling != "confirmed" && len(k.Sanctions) == 0 {
			continue
		}
		k.Flag.ClaimedBy, k.Flag.ClaimedUntilUS, k.Flag.Detector, k.Flag.DetectorVersion, k.Flag.Confidence = "", 0, "", "", 0
		for i := range k.Verdicts {
			k.Verdicts[i].ReviewerID = ""
		}
		for i := range k.Appeals {
			k.Appeals[i].ReviewerID = ""
		}
		kept = append(kept, k)
	}
	out.Cases = kept
	return http.StatusOK, out, nil
}

func (a *API) appeals(c *call) (int, any, error) {
	state, err := c.oneOf("state", "open", "granted", "refused", "any")
	if err != nil {
		return 0, nil, err
	}
	if state == "" {
		state = "open"
	}
	limit, err := c.limit()
	if err != nil {
		return 0, nil, err
	}
	after, afterID, err := parseCursor(c.URL.Query().Get("cursor"))
	if err != nil {
		return 0, nil, err
	}
	a.book.mu.RLock()
	defer a.book.mu.RUnlock()
	var found []Appeal
	for _, f := range a.book.order {
		for _, p := range f.appeals {
			s := f.appealShape(p)
			if (state == "any" || s.State == state) && (s.AtUS > after || s.AtUS == after && s.AppealID > afterID) {
				found = append(found, s)
			}
		}
	}
	sort.Slice(found, func(i, j int) bool {
		if found[i].AtUS != found[j].AtUS {
			return found[i].AtUS < found[j].AtUS
		}
		return found[i].AppealID < found[j].AppealID
	})
	return http.StatusOK, pageOf(found, limit, func(p Appeal) (int64, string) { return p.AtUS, p.AppealID }), nil
}

// Agreement is how reviewers ruled on what a detector flagged.
type Agreement struct {
	By        string `json:"by"`
	Value     string `json:"value"`
	Confirmed int    `json:"confirmed"`
	Dismissed int    `json:"dismissed"`
	Changed   int    `json:"changedCategory"`
	// Precision is confirmed of judged; without judged ones it is left out.
	Precision *float64 `json:"precision,omitempty"`
	// Reversed were confirmed, and fell by an appeal.
	Reversed int `json:"reversed"`
}

// Statistics of verdicts on flags of a time.
type Statistics struct {
	FromUS int64 `json:"fromUs"`
	ToUS   int64 `json:"toUs"`
	Flags  int   `json:"flags"`
	// Open wait for a verdict; AutoConfirmed had none yet and needed none.
	Open          int         `json:"open"`
	AutoConfirmed int         `json:"autoConfirmed"`
	Agreements    []Agreement `json:"agreements"`
}

func (a *API) statistics(c *call) (int, any, error) {
	const most = 1 << 53
	from, err := c.number("fromUs", 0, 0, most)
	if err != nil {
		return 0, nil, err
	}
	to, err := c.number("toUs", float64(c.now+1), 0, most)
	if err != nil {
		return 0, nil, err
	}
	out := Statistics{FromUS: int64(from), ToUS: int64(to), Agreements: []Agreement{}}
	sums := map[[2]string]*Agreement{}
	a.book.mu.RLock()
	defer a.book.mu.RUnlock()
	for _, f := range a.book.order {
		if f.flag.AtUs < out.FromUS || f.flag.AtUs >= out.ToUS {
			continue
		}
		out.Flags++
		if len(f.verdicts) == 0 {
			if f.flag.AutoConfirmed {
				out.AutoConfirmed++
			} else {
				out.Open++
			}
			continue
		}
		newest := f.verdicts[len(f.verdicts)-1]
		for _, key := range [][2]string{{"category", categoryName(f.flag.Category)}, {"detector", f.flag.Detector}, {"version", f.flag.DetectorVersion}, {"reviewer", newest.ReviewerId}} {
			s := sums[key]
			if s == nil {
				s = &Agreement{By: key[0], Value: key[1]}
				sums[key] = s
			}
			if newest.Ruling == chatv1.Ruling_RULING_CONFIRMED {
				s.Confirmed++
			} else {
				s.Dismissed++
			}
			if newest.Category != chatv1.Category_CATEGORY_UNSPECIFIED && newest.Category != f.flag.Category {
				s.Changed++
			}
			for _, p := range f.appeals {
				if p.decision.GetGranted() {
					s.Reversed++
				}
			}
		}
	}
	for _, s := range sums {
		if n := s.Confirmed + s.Dismissed; n > 0 {
			p := float64(s.Confirmed) / float64(n)
			s.Precision = &p
		}
		out.Agreements = append(out.Agreements, *s)
	}
	sort.Slice(out.Agreements, func(i, j int) bool {
		x, y := out.Agreements[i], out.Agreements[j]
		if x.By != y.By {
			return x.By < y.By
		}
		return x.Value < y.Value
	})
	return http.StatusOK, out, nil
}
