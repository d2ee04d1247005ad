package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// plainWidth is used where the output is no terminal.
const plainWidth = 120

// terminalWidth is the width of w's screen in cells, and whether it is one at all.
func terminalWidth(w io.Writer) (width int, isTerminal bool) {
	file, ok := w.(*os.File)
	if !ok {
		return plainWidth, false
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return plainWidth, false
	}
	return int(size.Col), true
}
