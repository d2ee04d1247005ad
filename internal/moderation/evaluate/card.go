package evaluate

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/feigeio/feige/internal/moderation/classify"
)

// WriteCard prints a model's card for people.
func WriteCard(w io.Writer, card classify.Card) error {
	var b strings.Builder
	fmt.Fprintf(&b, "model %s, version %s; 1 means %s\n", card.Name, card.Version, card.Positive)
	for _, d := range card.Data {
		fmt.Fprintf(&b, "data       %s, %d rows, sha256 %s %s\n", d.File, d.Rows, d.SHA256, d.Licence)
	}
	recipe, err := json.Marshal(card.Recipe)
	if err != nil {
		return fmt.Errorf("printing the recipe: %w", err)
	}
	fmt.Fprintf(&b, "recipe     %s\nthreshold  %.4f\n", recipe, card.Threshold)
	names := make([]string, 0, len(card.Figures))
	for name := range card.Figures {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%-38s %.4f\n", name, card.Figures[name])
	}
	for _, note := range card.Notes {
		fmt.Fprintf(&b, "note       %s\n", note)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("printing the card: %w", err)
	}
	return nil
}
