package audit

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/schemas"
)

// Report is what an audit found.
type Report struct {
	Namespace  schemas.Namespace
	Partitions []Partition
	// Cases are the partitions of violations.cases: their Events are steps of cases, and they hold no ticks.
	Cases  []Partition
	Tables []Table
	// Differences are the first ones, as many as the configuration asks for.
	Differences []oracle.Difference
	// DeadLetters is how many records of chat.events stand in dead_letters.
	DeadLetters int64

	show, more int
}

// Partition is what was read of one.
type Partition struct {
	Partition int32
	// Start and End are the offsets between which the log was audited, half-open.
	Start, End int64
	// Records are Events, Ticks, and what was Dropped, by reason.
	Records, Events, Ticks int
	Dropped                map[string]int
	// NowUS is the greatest tick; HasNow is false without any.
	NowUS  int64
	HasNow bool
	// Unaudited says what could not be held against the log; empty when everything was.
	Unaudited string
}

// Table sums up one view.
type Table struct {
	Name string
	// Rows that the log wants there and that were compared.
	Rows int
	// Rows that differ, by kind; a row that differs in several fields is one.
	Missing, Unexpected, Different, Duplicate int
	// Newer rows rest on events behind the audited log, Older ones on events before it.
	Newer, Older int
}

// Wrong is how many rows differ.
func (t Table) Wrong() int { return t.Missing + t.Unexpected + t.Different + t.Duplicate }

// Wrong is how many rows differ in all.
func (r *Report) Wrong() int {
	n := 0
	for _, t := range r.Tables {
		n += t.Wrong()
	}
	return n
}

// OK tells that nothing differs.
func (r *Report) OK() bool { return r.Wrong() == 0 }

// Whole tells that everything could be audited.
func (r *Report) Whole() bool {
	part := func(p Partition) bool { return p.Unaudited != "" }
	return !slices.ContainsFunc(r.Partitions, part) && !slices.ContainsFunc(r.Cases, part)
}

func newReport(cfg Config, ns schemas.Namespace) *Report {
	r := &Report{Namespace: ns, show: cfg.Show}
	for _, name := range []string{
		tableEvents, oracle.TableRounds, oracle.TableLives, oracle.TableRatings, oracle.TableTakeovers, oracle.TableKpis,
		oracle.TableIndicators, oracle.TableDecisions, oracle.TableFlags, oracle.TableEvidence, oracle.TableVerdicts, oracle.TableAppealSteps,
		oracle.TableSanctions,
	} {
		r.Tables = append(r.Tables, Table{Name: name})
	}
	return r
}

func (r *Report) table(name string) *Table {
	i := slices.IndexFunc(r.Tables, func(t Table) bool { return t.Name == name })
	return &r.Tables[i]
}

func (r *Report) add(p Partition, t *tally) {
	r.Partitions = append(r.Partitions, p)
	r.count(t)
}

func (r *Report) addCases(p Partition, t *tally) {
	r.Cases = append(r.Cases, p)
	r.count(t)
}

func (r *Report) count(t *tally) {
	for i := range r.Tables {
		table := &r.Tables[i]
		table.Rows += t.rows[table.Name]
		table.Newer += t.newer[table.Name]
		table.Older += t.older[table.Name]
	}
	different := map[string]bool{}
	for _, d := range t.differences {
		table := r.table(d.Table)
		switch d.Kind {
		case oracle.Missing:
			table.Missing++
		case oracle.Unexpected:
			table.Unexpected++
		case oracle.Duplicate:
			table.Duplicate++
		case oracle.Different:
			if key := d.Table + " " + d.Key; !different[key] {
				different[key] = true
				table.Different++
			}
		}
		r.keep(d)
	}
}

func (r *Report) keep(d oracle.Difference) {
	if len(r.Differences) >= r.show {
		r.more++
		return
	}
	r.Differences = append(r.Differences, d)
}

// stray takes rows of partitions that do not exist in.
func (r *Report) stray(counts map[string]int64) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		r.table(name).Unexpected += int(counts[name])
		r.keep(oracle.Difference{
			Kind: oracle.Unexpected, Table: name, Key: fmt.Sprintf("%d rows of partitions that the topic does not have", counts[name]),
		})
	}
}

// Write prints the report for people.
func (r *Report) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	name := r.Namespace.Topic(schemas.TopicEvents)
	for _, p := range r.Partitions {
		now := "no tick"
		if p.HasNow {
			now = "now " + oracle.Instant(p.NowUS)
		}
		fmt.Fprintf(out, "%s/%d: offsets %d to %d, %d events, %d ticks, %s", name, p.Partition, p.Start, p.End, p.Events, p.Ticks, now)
		p.writeRest(out)
	}
	for _, p := range r.Cases {
		fmt.Fprintf(out, "%s/%d: offsets %d to %d, %d steps of cases", r.Namespace.Topic(schemas.TopicCases), p.Partition, p.Start, p.End, p.Events)
		p.writeRest(out)
	}
	if r.DeadLetters > 0 {
		fmt.Fprintf(out, "%d records of %s stand in dead_letters\n", r.DeadLetters, name)
	}
	for _, d := range r.Differences {
		fmt.Fprintln(out, d)
	}
	if r.more > 0 {
		fmt.Fprintf(out, "… and %d more differences\n", r.more)
	}
	fmt.Fprintf(out, "\n%-20s %10s %9s %10s %9s %9s %8s %8s\n", "table", "rows", "missing", "unexpected", "different", "duplicate", "newer", "older")
	for _, t := range r.Tables {
		fmt.Fprintf(out, "%-20s %10d %9d %10d %9d %9d %8d %8d\n", t.Name, t.Rows, t.Missing, t.Unexpected, t.Different, t.Duplicate, t.Newer, t.Older)
	}
	fmt.Fprintln(out, r.verdict())
	if err := out.Flush(); err != nil {
		return fmt.Errorf("audit: write the report: %w", err)
	}
	return nil
}

func (p Partition) writeRest(out io.Writer) {
	for _, why := range slices.Sorted(maps.Keys(p.Dropped)) {
		fmt.Fprintf(out, ", %d %s", p.Dropped[why], why)
	}
	fmt.Fprintln(out)
	if p.Unaudited != "" {
		fmt.Fprintf(out, "  the log before offset %d is gone; not audited: %s\n", p.Start, p.Unaudited)
	}
}

func (r *Report) verdict() string {
	s := "0 differences"
	if n := r.Wrong(); n == 1 {
		s = "1 row differs"
	} else if n > 1 {
		s = fmt.Sprintf("%d rows differ", n)
	}
	if !r.Whole() {
		s += "; part of the log is gone, see above"
	}
	return s
}
