package jsonmsg

// str skips a string literal.
func (s *scanner) str() error {
	b := s.b
	for i := s.i + 1; i < len(b); {
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
		default:
			i++
		}
	}
	return ErrSyntax
}

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
