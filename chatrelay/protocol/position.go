package protocol

import (
	"strconv"
	"strings"
)

// Position is a place in the log: that of the last record that a client has seen. To clients its text is
// opaque. Any relay understands it.
type Position struct {
	Partition int32
	Offset    int64
}

// String is the text form.
func (p Position) String() string {
	return strconv.FormatInt(int64(p.Partition), 10) + "." + strconv.FormatInt(p.Offset, 10)
}

// ParsePosition reads the text form. The error is a *Problem.
func ParsePosition(text string) (Position, error) {
	part, off, ok := strings.Cut(text, ".")
	p, err := strconv.ParseInt(part, 10, 32)
	o, err2 := strconv.ParseInt(off, 10, 64)
	if !ok || err != nil || err2 != nil || p < 0 || o < -1 {
		return Position{}, Problemf(CodeBadFrame, "position is not one that a relay gave")
	}
	return Position{Partition: int32(p), Offset: o}, nil
}
