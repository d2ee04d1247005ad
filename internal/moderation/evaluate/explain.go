package evaluate

import (
	"fmt"
	"io"
	"strings"

	"github.com/feigeio/feige/internal/moderation"
)

// Explain prints a verdict for people: each flag with the words it points at, what was understood, and who says so.
func Explain(w io.Writer, m *moderation.Moderator, subject moderation.Subject) error {
	var b strings.Builder
	flags := m.Check(subject)
	if len(flags) == 0 {
		b.WriteString("clean: no flag\n")
	}
	runes := []rune(subject.Text)
	for _, f := range flags {
		kind := f.Kind
		if f.SubKind != f.Kind {
			kind += " (" + f.SubKind + ")"
		}
		outcome := "for review"
		if subject.Policy != nil {
			if c, ok := subject.Policy.Violations.Category(f.Category); ok && f.Confidence >= c.AutoConfirm {
				outcome = "confirmed at once"
			}
		}
		fmt.Fprintf(&b, "%s / %s: confidence %.2f, severity %s, %s\n", f.Category, kind, f.Confidence, f.Severity, outcome)
		fmt.Fprintf(&b, "  words     %q (characters %d to %d)\n", string(runes[f.From:f.To]), f.From, f.To)
		fmt.Fprintf(&b, "  evidence  %s\n", f.Evidence)
		fmt.Fprintf(&b, "  detector  %s, %s\n", f.Detector, f.Version)
	}
	fmt.Fprintf(&b, "normalised  %s\n", m.Normalised(subject.Text))
	for _, card := range m.Cards() {
		p, positive, err := m.Classify(card.Name, subject.Text)
		if err != nil {
			return err
		}
		word := "no"
		if positive {
			word = "yes"
		}
		fmt.Fprintf(&b, "classifier  %s: %.3f, threshold %.3f: %s (%s-%s)\n", card.Name, p, card.Threshold, word, card.Name, card.Version)
	}
	fmt.Fprintf(&b, "rules       %s\n", m.Version())
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("printing the verdict: %w", err)
	}
	return nil
}
