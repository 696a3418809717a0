package jsonmsg

import (
	"encoding/binary"
	"math/bits"
)

// near is how many bytes of text in a row str reads one by one before it goes on
// by words: most strings are short, or full of escapes.
const near = 16

// str skips a string literal.
func (s *scanner) str() error {
	b := s.b
	for i, far := s.i+1, s.i+near; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			s.i = i + 1
			return nil
		case c < 0x20:
			return ErrSyntax
		case c == '\\':
			n := escape(b[i:])
			if n == 0 {
				return ErrSyntax
			}
			i += n
			far = i + near
		case i < far:
			i++
		default:
			i += plain(b[i:])
			far = i + near
		}
	}
	return ErrSyntax
}

const (
	ones  = 0x0101010101010101 // a 1 in each byte
	highs = ones << 7          // the top bit of each byte
)

// plain returns how many bytes of text begin b: none of them ends a string,
// begins an escape, or is a control character. Long texts are most of a long
// message, so it looks at eight bytes at once: x-1 sets the top bit of a byte
// that is zero, x-0x20 that of one below 0x20, and a borrow goes astray only
// above a byte that is found rightly.
func plain(b []byte) int {
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(b[n:])
		quote, slash := w^ones*'"', w^ones*'\\'
		if found := ((w-ones*0x20)&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs; found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for n < len(b) && isText(b[n]) {
		n++
	}
	return n
}

func isText(c byte) bool { return c != '"' && c != '\\' && c >= 0x20 }

// escape returns the length of the escape sequence at the start of b, 0 if it
// is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		for i := 2; i < 6; i++ {
			if i >= len(b) || !hex(b[i]) {
				return 0
			}
		}
		return 6
	}
	return 0
}

func hex(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// number skips a number: RFC 8259 section 6.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if !s.digits() {
		return ErrSyntax
	}
	if s.peek() == '.' {
		s.i++
		if !s.digits() {
			return ErrSyntax
		}
	}
	if c := s.peek(); c != 'e' && c != 'E' {
		return nil
	}
	s.i++
	if c := s.peek(); c == '+' || c == '-' {
		s.i++
	}
	if !s.digits() {
		return ErrSyntax
	}
	return nil
}

// digits skips a run of digits and reports whether there was one.
func (s *scanner) digits() bool {
	from := s.i
	for digit(s.peek()) {
		s.i++
	}
	return s.i > from
}
