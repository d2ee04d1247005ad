package policy

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// FuzzParse: whatever a file holds, the parser gives a policy that works, or problems of one line each.
func FuzzParse(f *testing.F) {
	f.Add(defaultYAML)
	f.Add([]byte("time_zone: UTC\nversions: []\n"))
	f.Add([]byte("time_zone: &a UTC\nversions: [*a, {<<: *a}]\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("a: |\n  text\nb: !!str 1\nc: .inf\nd: 0x1F\n"))
	f.Add([]byte("{a: 1, a: 2}\n---\nb\n"))
	f.Add(bytes.Replace(defaultYAML, []byte("24h"), []byte("99999999d"), 1))
	f.Add(bytes.Replace(defaultYAML, []byte("Asia/Shanghai"), []byte("America/New_York"), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("policy.yaml", data)
		if err != nil {
			var p Problem
			if !errors.As(err, &p) {
				t.Fatalf("not a problem: %v", err)
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "policy.yaml:") {
					t.Fatalf("line without file: %q of %q", line, err)
				}
			}
			return
		}
		for _, p := range s.Versions() {
			if at := s.At(p.EffectiveFromUS); at.Version != p.Version {
				t.Fatalf("version %s gives way to %s at its own beginning", p.Version, at.Version)
			}
			if p.Assessment.LatenessUS() < 0 || p.Reception.UnrepliedLimit < 1 || p.Conversation.RoundExpiryUS < 1 {
				t.Fatalf("a policy that cannot work: %+v", p)
			}
			text, err := s.Render(p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Parse("rendered.yaml", text); err != nil {
				t.Fatalf("the rendered version cannot be read: %v\n%s", err, text)
			}
		}
	})
}
