package main

import (
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// screen is a terminal that has one line which changes, for the progress of a
// call. It uses no escapes of the terminal's: the line is written over with
// blanks. What else is written to it comes out above that line.
type screen struct {
	w     io.Writer
	width func() int

	mu    sync.Mutex
	shown string
	cells int // how wide shown is
	still bool
}

// newScreen returns the screen of a file; nil if it is no terminal.
func newScreen(w io.Writer) *screen {
	f, ok := terminalOf(w)
	if !ok {
		return nil
	}
	return &screen{w: f, width: func() int { return widthOf(f) }}
}

// widthOf is how many cells a line of a terminal has.
func widthOf(f *os.File) int {
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// Write implements io.Writer, with whole lines.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.shown
	if err := s.draw(""); err != nil {
		return 0, err
	}
	n, err := s.w.Write(p)
	if err == nil && !s.still {
		err = s.draw(shown)
	}
	return n, err
}

// progress changes the line; "" clears it. Nobody is told if that fails.
func (s *screen) progress(text string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.still {
		_ = s.draw(text)
	}
}

// quiet stops the line while a person is asked, and lets it go on.
func (s *screen) quiet(still bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.still = still
	_ = s.draw("")
}

// draw needs mu.
func (s *screen) draw(text string) error {
	if text == "" && s.shown == "" {
		return nil
	}
	text = fit(printable.Line(text, longestValue), s.width()-1)
	cells := cellsOf(text)
	line := "\r" + text
	if cells < s.cells {
		line += strings.Repeat(" ", s.cells-cells) + line
	}
	s.shown, s.cells = text, cells
	_, err := io.WriteString(s.w, line)
	return err
}

// fit cuts a line to so many cells of a terminal.
func fit(text string, cells int) string {
	if cellsOf(text) <= cells {
		return text
	}
	const dots = "..."
	used := len(dots)
	for i, r := range text {
		if used += cellOf(r); used > cells {
			return text[:i] + dots
		}
	}
	return text
}

func cellsOf(text string) int {
	n := 0
	for _, r := range text {
		n += cellOf(r)
	}
	return n
}

// cellOf is how wide a character may be: of those that are not ASCII nobody can
// tell without tables, so they count as the widest.
func cellOf(r rune) int {
	if r < utf8.RuneSelf {
		return 1
	}
	return 2
}
