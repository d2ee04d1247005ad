package broker

import "log/slog"

// Secret is a string that prints, logs, and marshals as dots. Convert it to string to use it.
type Secret string

const hidden = "******"

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString covers %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue covers slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalYAML covers the printed configuration.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// MarshalJSON covers JSON logs and printed configurations.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }
