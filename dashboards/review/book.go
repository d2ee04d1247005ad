package review

import (
	"slices"
	"sync"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// file is everything that is known of one flag.
type file struct {
	flag     *chatv1.Flag
	verdicts []*chatv1.ReviewVerdict
	appeals  []*appealFile
	// claim that holds, if it has not ended.
	claim *chatv1.ReviewClaim
	// place in the log, for a stable order.
	partition int32
	offset    int64
}

type appealFile struct {
	appeal   *chatv1.Appeal
	decision *chatv1.AppealDecision
}

// ruling is what holds of the flag: the newest verdict, or the detector's.
func (f *file) ruling() chatv1.Ruling {
	if n := len(f.verdicts); n > 0 {
		return f.verdicts[n-1].Ruling
	}
	if f.flag.AutoConfirmed {
		return chatv1.Ruling_RULING_CONFIRMED
	}
	return chatv1.Ruling_RULING_UNSPECIFIED
}

// confirmedAtUS is when it was confirmed first; 0: never.
func (f *file) confirmedAtUS() int64 {
	if f.flag.AutoConfirmed {
		return f.flag.AtUs
	}
	for _, v := range f.verdicts {
		if v.Ruling == chatv1.Ruling_RULING_CONFIRMED {
			return v.AtUs
		}
	}
	return 0
}

// holder is who has claimed the flag at a time; "" nobody.
func (f *file) holder(nowUS int64) string {
	if f.claim != nil && nowUS < f.claim.UntilUs {
		return f.claim.ReviewerId
	}
	return ""
}

// book is the state of all flags, as of what was read. Safe for concurrent use.
type book struct {
	mu        sync.RWMutex
	keepUS    int64
	most      int
	newestUS  int64
	files     map[string]*file
	order     []*file // as they came
	accounts  map[string][]*file
	sanctions map[string]map[string]*chatv1.Sanction // by offender key and sanction
	appeals   map[string]*file
	// seen wakes those who wait for what they have written.
	seen map[string]chan struct{}
}

func newBook(keepUS int64, most int) *book {
	return &book{keepUS: keepUS, most: most, files: map[string]*file{}, accounts: map[string][]*file{},
		sanctions: map[string]map[string]*chatv1.Sanction{}, appeals: map[string]*file{}, seen: map[string]chan struct{}{}}
}

func offenderKey(o *chatv1.Offender) string {
	kind := "consumer"
	if o.GetKind() == chatv1.OffenderKind_OFFENDER_KIND_SHOP {
		kind = "shop"
	}
	return schemas.OffenderKey(kind, o.GetId())
}

// step takes a record of violations.cases.
func (b *book) step(c *chatv1.Case, partition int32, offset int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		b.flagged(s.Flag, partition, offset)
	case *chatv1.Case_Verdict:
		v := s.Verdict
		f := b.files[v.GetFlagId()]
		if f == nil && v.GetFlag() != nil {
			f = b.flagged(v.Flag, partition, offset)
		}
		if f != nil && !slices.ContainsFunc(f.verdicts, func(o *chatv1.ReviewVerdict) bool { return o.VerdictId == v.VerdictId }) {
			f.verdicts = append(f.verdicts, v)
		}
		b.wake(v.GetVerdictId())
	case *chatv1.Case_Appeal:
		a := s.Appeal
		f := b.files[a.GetFlagId()]
		if f != nil && !slices.ContainsFunc(f.appeals, func(o *appealFile) bool { return o.appeal.AppealId == a.AppealId }) {
			f.appeals = append(f.appeals, &appealFile{appeal: a})
			b.appeals[a.AppealId] = f
		}
		b.wake(a.GetAppealId())
	case *chatv1.Case_AppealDecision:
		d := s.AppealDecision
		if f := b.files[d.GetFlagId()]; f != nil {
			for _, a := range f.appeals {
				if a.appeal.AppealId == d.AppealId && a.decision == nil {
					a.decision = d
				}
			}
		}
		b.wake("decision " + d.GetAppealId())
	}
}

func (b *book) flagged(flag *chatv1.Flag, partition int32, offset int64) *file {
	if f := b.files[flag.GetFlagId()]; f != nil || flag.GetFlagId() == "" {
		return f
	}
	f := &file{flag: flag, partition: partition, offset: offset}
	b.files[flag.FlagId] = f
	b.order = append(b.order, f)
	key := offenderKey(flag.Offender)
	b.accounts[key] = append(b.accounts[key], f)
	b.newestUS = max(b.newestUS, flag.AtUs)
	b.forget()
	return f
}

// forget drops the oldest flags beyond the bounds, those with a ruling first.
func (b *book) forget() {
	for len(b.order) > 0 && b.newestUS-b.order[0].flag.AtUs > b.keepUS {
		b.drop(0)
	}
	if len(b.order) <= b.most {
		return
	}
	at := slices.IndexFunc(b.order[:min(len(b.order), 1000)], func(f *file) bool { return f.ruling() != chatv1.Ruling_RULING_UNSPECIFIED })
	b.drop(max(at, 0))
}

func (b *book) drop(at int) {
	f := b.order[at]
	b.order = slices.Delete(b.order, at, at+1)
	delete(b.files, f.flag.FlagId)
	for _, a := range f.appeals {
		delete(b.appeals, a.appeal.AppealId)
	}
	key := offenderKey(f.flag.Offender)
	b.accounts[key] = slices.DeleteFunc(b.accounts[key], func(o *file) bool { return o == f })
	if len(b.accounts[key]) == 0 {
		delete(b.accounts, key)
		delete(b.sanctions, key)
	}
}

// claimed takes a record of review.claims: the first holds until it ends.
func (b *book) claimed(c *chatv1.ReviewClaim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.files[c.GetFlagId()]; f != nil {
		if h := f.holder(c.AtUs); h == "" || h == c.ReviewerId {
			f.claim = c
		}
	}
	b.wake(c.GetClaimId())
}

// sanctioned takes a record of penalties.sanctions; the highest version of a sanction holds.
func (b *book) sanctioned(s *chatv1.Sanction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := offenderKey(s.Offender)
	of := b.sanctions[key]
	if of == nil {
		of = map[string]*chatv1.Sanction{}
		b.sanctions[key] = of
	}
	if old := of[s.SanctionId]; old == nil || old.Version <= s.Version {
		of[s.SanctionId] = s
	}
}

// await returns a channel that is closed once the record with the id has been read. It must be asked for before the record
// is written; forgetAwait takes it back.
func (b *book) await(id string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.seen[id]
	if c == nil {
		c = make(chan struct{})
		b.seen[id] = c
	}
	return c
}

func (b *book) forgetAwait(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.seen, id)
}

func (b *book) wake(id string) {
	if c := b.seen[id]; c != nil {
		close(c)
		delete(b.seen, id)
	}
}
