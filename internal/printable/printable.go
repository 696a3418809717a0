// Package printable makes text that somebody else wrote fit for a terminal, a log
// and a sentence (OAUTH X19, CWE-150). It imports nothing of ours.
package printable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s on one line, with blanks for what a terminal would act on or not
// show: control characters (C0, DEL, C1), directions, invisible characters, bytes
// that are no text. Two joiners, which scripts of India need and nobody sees, are
// left out. Of more than most characters the rest is cut off, which three dots
// tell.
func Line(s string, most int) string {
	s = strings.Join(strings.Fields(strings.Map(shown, s)), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return s
}

// Text returns s with the same done to each of its lines; line feeds, tabs and the
// blanks between words stay. The last line ends with a line feed if it did.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return shown(r)
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// Word returns s if it can be a name, such as that of a method or a tool: letters,
// digits and a few signs, 64 at most. Anything else may be a text, and is not shown.
func Word(s string) string {
	const most, signs = 64, "/._:-$#+"
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(signs, r)
	}
	if s == "" || len(s) > most || strings.ContainsFunc(s, strange) {
		return "(not shown)"
	}
	return s
}

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Plain reports whether s is a name that means itself wherever it stands, be it in
// a path or on a command line: it begins with a letter or digit of ASCII, goes on
// with those and signs, and is no longer than limit in bytes.
func Plain(s, signs string, limit int) bool {
	return s != "" && len(s) <= limit && strings.Trim(s[:1], alphanumerics) == "" && strings.Trim(s, alphanumerics+signs) == ""
}

const joiners = "\u200c\u200d"

func shown(r rune) rune {
	switch {
	case strings.ContainsRune(joiners, r):
		return -1
	case acts(r):
		return ' '
	}
	return r
}

// acts tells characters that do something instead of being something.
func acts(r rune) bool {
	return unicode.IsControl(r) || r == utf8.RuneError || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// JSON returns the JSON text b with such characters, which can only stand in
// strings there, as \u escapes. Line feeds between its members stay.
func JSON(b []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(b) {
		switch {
		case r == '\n' || !acts(r):
			out.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}
