package chdb

import (
	"runtime"
	"strings"
	"testing"
)

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Load("/nonexistent/libchdb.so"); err == nil || !strings.Contains(err.Error(), "/nonexistent/libchdb.so") {
		t.Errorf("no file: %v", err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("another library to load is known for linux only")
	}
	_, err := Load("libm.so.6")
	if err == nil || !strings.Contains(err.Error(), "no function chdb_") || !strings.Contains(err.Error(), Version) {
		t.Errorf("another library: %v", err)
	}
}

func TestPackKeepsLengths(t *testing.T) {
	t.Parallel()
	p := pack([]Param{{"a", ""}, {"name", "with\x00zero"}, {"", "x"}})
	defer p.pin.Unpin()
	for i, want := range []struct{ name, value uintptr }{{1, 0}, {4, 9}, {0, 1}} {
		if p.nameLens[i] != want.name || p.valueLens[i] != want.value || p.names[i] == nil || p.values[i] == nil {
			t.Errorf("parameter %d: %d and %d bytes, want %+v", i, p.nameLens[i], p.valueLens[i], want)
		}
	}
}
