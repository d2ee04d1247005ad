package policy

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/feigeio/feige/internal/worktime"
)

// Forever is a duration without end, for mutes and restrictions.
const Forever = math.MaxInt64

// Always is the EffectiveFromUS of a first version that says "always".
const Always = math.MinInt64

//go:embed default.yaml
var defaultYAML []byte

// Set is the policy of a product: one time zone and one or more versions. It is immutable and safe for
// concurrent use. So are the policies it hands out: they are shared, nobody writes to them.
type Set struct {
	name     string
	calendar *worktime.Calendar
	versions []*Policy
	source   document
	comments comments
}

// Policy is one version of the rules' numbers and choices. Durations and instants are microseconds.
type Policy struct {
	// Version is its name in every record that rests on it.
	Version string
	// EffectiveFromUS is from when it is in force; Always for a first version that says so.
	EffectiveFromUS int64

	Reception       Reception
	Conversation    Conversation
	Assessment      Assessment
	Messages        Messages
	Confidentiality Confidentiality
	Accounts        Accounts
	Violations      Violations
	Detection       Detection
	Verification    Verification
	Penalties       Penalties

	index int
}

// At is the version in force at an instant (UTC microseconds). The first version is in force at all
// times before the second one. It does not allocate.
func (s *Set) At(us int64) *Policy {
	last := len(s.versions) - 1
	if last == 0 || us >= s.versions[last].EffectiveFromUS {
		return s.versions[last]
	}
	// The newest of the others that is in force; versions[lo] always is.
	lo, hi := 0, last
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if us >= s.versions[mid].EffectiveFromUS {
			lo = mid
		} else {
			hi = mid
		}
	}
	return s.versions[lo]
}

// Calendar is the clock of the policy's time zone.
func (s *Set) Calendar() *worktime.Calendar { return s.calendar }

// Versions are all versions, oldest first. The slice is the caller's.
func (s *Set) Versions() []*Policy { return append([]*Policy(nil), s.versions...) }

// Name is the file that the set was read from, or the name given to Parse.
func (s *Set) Name() string { return s.name }

// Default is the built-in policy, read anew.
func Default() *Set {
	s, err := Parse("default.yaml", defaultYAML)
	if err != nil {
		panic(fmt.Sprintf("built-in policy: %v", err)) // a defect of the build, caught by every test
	}
	return s
}

// DefaultYAML is the text of the built-in policy, a file to start one's own from. The slice is the caller's.
func DefaultYAML() []byte { return bytes.Clone(defaultYAML) }

// Load reads a policy file.
func Load(path string) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	return Parse(path, data)
}

// Check reads a policy file and says what is wrong with it: nil, or an error of one line a problem.
func Check(path string) error {
	_, err := Load(path)
	return err
}

// Parse reads a policy from the text of a file; name stands for the file in errors. The error is a
// Problem or Problems.
func Parse(name string, data []byte) (*Set, error) {
	src, err := readSource(name, data)
	if err != nil {
		return nil, err
	}
	if err := src.validate(); err != nil {
		return nil, err
	}
	doc, err := src.decode()
	if err != nil {
		return nil, err
	}
	return build(src, doc)
}
