package edit

import (
	"bytes"
	"slices"
)

// splice puts text in the place of the bytes from, to.
type splice struct {
	from, to int
	text     string
}

func cut(from, to int) splice { return splice{from: from, to: to} }

// apply makes all splices. Where they overlap, the bytes are cut once.
func apply(text []byte, all ...splice) []byte {
	slices.SortStableFunc(all, func(a, b splice) int { return a.from - b.from })
	var out []byte
	done := 0
	for _, s := range all {
		out = append(append(out, text[done:max(done, s.from)]...), s.text...)
		done = max(done, s.to)
	}
	return append(out, text[done:]...)
}

func lineAt(text []byte, offset int) int { return 1 + bytes.Count(text[:offset], []byte("\n")) }

// loneCR returns where a carriage return is without a line feed, or -1. Parsers
// do not agree on whether a line ends there.
func loneCR(text []byte) int {
	for i, b := range text {
		if b == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			return i
		}
	}
	return -1
}

// newline returns how most lines of text end.
func newline(text []byte) string {
	if n := bytes.Count(text, []byte("\r\n")); n > bytes.Count(text, []byte("\n"))-n {
		return "\r\n"
	}
	return "\n"
}

// lineStart returns where the line of offset starts.
func lineStart(text []byte, offset int) int { return bytes.LastIndexByte(text[:offset], '\n') + 1 }

// indentAt returns the blanks at the start of the line of offset.
func indentAt(text []byte, offset int) string {
	line := text[lineStart(text, offset):]
	return string(line[:skipBlanks(line, 0)])
}

// skipBlanks returns the offset of what is no blank or tab, from offset on.
func skipBlanks(text []byte, offset int) int {
	for offset < len(text) && (text[offset] == ' ' || text[offset] == '\t') {
		offset++
	}
	return offset
}

// backBlanks is skipBlanks in the other direction.
func backBlanks(text []byte, offset int) int {
	for offset > 0 && (text[offset-1] == ' ' || text[offset-1] == '\t') {
		offset--
	}
	return offset
}

// backNewline returns the offset before the newline that ends at offset, or
// offset if there is none.
func backNewline(text []byte, offset int) int {
	switch t := text[:offset]; {
	case bytes.HasSuffix(t, []byte("\r\n")):
		return offset - 2
	case bytes.HasSuffix(t, []byte("\n")):
		return offset - 1
	}
	return offset
}

// endsLine tells that there is nothing but blanks from offset to the end of its
// line, and that the line has an end.
func endsLine(text []byte, offset int) bool {
	rest := text[skipBlanks(text, offset):]
	return bytes.HasPrefix(rest, []byte("\n")) || bytes.HasPrefix(rest, []byte("\r\n"))
}

// appended puts a block at the end of text, so that withoutLast finds back what
// was there: text that ends in the middle of a line stays so at its end.
func appended(text []byte, block, eol string) []byte {
	if len(text) == 0 || text[len(text)-1] == '\n' {
		return append(bytes.Clone(text), block+eol...)
	}
	return append(bytes.Clone(text), eol+block...)
}

// withoutLast cuts from, to out, which stands at the end of text as appended has
// put it there, with the newline that came with it.
func withoutLast(text []byte, from, to int) []byte {
	rest := text[to:]
	switch {
	case (string(rest) == "\n" || string(rest) == "\r\n") && (from == 0 || text[from-1] == '\n'):
		return apply(text, cut(from, len(text)))
	case len(rest) == 0:
		return apply(text, cut(backNewline(text, from), to))
	}
	return apply(text, cut(from, to))
}

// lineIndex returns a function that tells the line of an offset, fast.
func lineIndex(text []byte) func(offset int) int {
	var ends []int
	for i, b := range text {
		if b == '\n' {
			ends = append(ends, i)
		}
	}
	return func(offset int) int {
		i, _ := slices.BinarySearch(ends, offset)
		return i + 1
	}
}

// lineEnd returns the offset after the newline that ends the line of offset, or
// the length of text.
func lineEnd(text []byte, offset int) int {
	if i := bytes.IndexByte(text[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(text)
}
