package jsonmsg

import "bytes"

// MaxDepth is how deeply arrays and objects may nest (RELAY B5).
const MaxDepth = 1000

// scanner walks over one JSON document (RFC 8259) once, without allocating. It
// accepts what encoding/json accepts, to a depth of MaxDepth.
type scanner struct {
	b     []byte
	i     int // next byte
	depth int
}

// document scans an object and nothing after it; member is called at each
// value and must consume it.
func (s *scanner) document(member func(key string) error) error {
	s.space()
	if s.peek() != '{' {
		if err := s.value(); err != nil {
			return err
		}
		if s.space(); s.i < len(s.b) {
			return ErrSyntax
		}
		return ErrInvalid
	}
	if err := s.object(member); err != nil {
		return err
	}
	if s.space(); s.i < len(s.b) {
		return ErrSyntax
	}
	return nil
}

// peek returns the next byte, 0 at the end (a NUL is no JSON either).
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) space() {
	for s.i < len(s.b) && blank(s.b[s.i]) {
		s.i++
	}
}

// blank reports whether c is white space (RFC 8259 section 2).
func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// value skips one value.
func (s *scanner) value() error {
	switch c := s.peek(); c {
	case '{':
		return s.object(nil)
	case '[':
		return s.array()
	case '"':
		return s.str()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.b[s.i:], []byte(word)) {
		return ErrSyntax
	}
	s.i += len(word)
	return nil
}

// object skips an object. With member, each key is decoded and handed over
// while the scanner stands at its value.
func (s *scanner) object(member func(key string) error) error {
	return s.list('}', func() error {
		at := s.i
		if s.peek() != '"' {
			return ErrSyntax
		}
		if err := s.str(); err != nil {
			return err
		}
		key := s.b[at:s.i]
		if s.space(); s.peek() != ':' {
			return ErrSyntax
		}
		s.i++
		s.space()
		if member == nil {
			return s.value()
		}
		return member(unquote(key))
	})
}

func (s *scanner) array() error { return s.list(']', s.value) }

// list skips the elements up to the closing bracket; the scanner stands at the
// opening one.
func (s *scanner) list(end byte, element func() error) error {
	if s.depth++; s.depth > MaxDepth {
		return ErrDepth
	}
	s.i++
	if s.space(); s.peek() != end {
		for {
			if err := element(); err != nil {
				return err
			}
			if s.space(); s.peek() != ',' {
				break
			}
			s.i++
			s.space()
		}
	}
	if s.peek() != end {
		return ErrSyntax
	}
	s.i++
	s.depth--
	return nil
}
