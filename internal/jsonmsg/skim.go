package jsonmsg

import (
	"bytes"
	"encoding/json"
)

// skimKeep is how long a key or id a Skimmer keeps; longer ones are not seen.
const skimKeep = 1 << 10

// Skimmer finds the id and the method of a message that is too long to be
// stored or too deep to be scanned, byte by byte and in constant memory. It
// expects JSON and checks nothing.
type Skimmer struct {
	found   Message
	ids     int
	method  bool
	depth   int
	quoted  bool
	escaped bool
	value   bool   // past the colon of a member of the message
	key     string // that member's key
	token   []byte // the literal that is being read at depth 1
}

// Skim returns the ID of the request in raw; no ID if raw is no request.
func Skim(raw []byte) Message {
	var s Skimmer
	_, _ = s.Write(raw)
	return s.Found()
}

// Found returns a Message that holds the ID if what was written is a request
// with one id, and nothing otherwise.
func (s *Skimmer) Found() Message {
	if s.ids != 1 || !s.method {
		return Message{} // an answer, a notification, or not certain
	}
	return s.found
}

// Write implements io.Writer; it never fails.
func (s *Skimmer) Write(p []byte) (int, error) {
	for i := 0; i < len(p); i++ {
		if i += s.dull(p[i:]); i < len(p) {
			s.next(p[i])
		}
	}
	return len(p), nil
}

// dull returns how many bytes at the start of p are text of a string that is not
// kept: a long message is mostly that.
func (s *Skimmer) dull(p []byte) int {
	if !s.quoted || s.escaped || s.depth == 1 && len(s.token) <= skimKeep {
		return 0
	}
	if end := bytes.IndexByte(p, '"'); end >= 0 {
		p = p[:end]
	}
	if end := bytes.IndexByte(p, '\\'); end >= 0 {
		return end
	}
	return len(p)
}

func (s *Skimmer) next(c byte) {
	if s.quoted {
		s.keep(c)
		switch {
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.quoted = false
		}
		return
	}
	switch c {
	case '"':
		s.quoted = true
		s.keep(c)
	case '{', '[':
		s.depth++
	case '}', ']':
		s.end()
		s.depth--
	case ',':
		s.end()
	case ':':
		s.colon()
	case ' ', '\t', '\r', '\n':
	default:
		s.keep(c)
	}
}

// keep stores a byte of a literal that is a direct member of the message.
func (s *Skimmer) keep(c byte) {
	if s.depth == 1 && len(s.token) <= skimKeep {
		s.token = append(s.token, c)
	}
}

func (s *Skimmer) colon() {
	if s.depth != 1 || s.value {
		return
	}
	s.key, s.value = "", true
	if t := s.token; json.Valid(t) {
		s.key = text(t)
	}
	s.token = s.token[:0]
	switch s.key {
	case "id":
		s.ids++
	case "method":
		s.method = true
	}
}

// end takes the value that a comma or a bracket ended.
func (s *Skimmer) end() {
	if s.depth != 1 {
		return
	}
	if t := s.token; s.value && s.key == "id" && isID(t) && json.Valid(t) {
		s.found.ID = append(json.RawMessage(nil), t...)
	}
	s.value, s.token = false, s.token[:0]
}
