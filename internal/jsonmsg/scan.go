package jsonmsg

import (
	"errors"
	"unicode/utf8"
)

// Scan checks one message and fills in what the relay judges by. Members are
// compared case-sensitively; a second id, method, params, result or error, or a
// second name, uri, requestId, protocolVersion or _meta in params, is refused, so that
// the judged bytes are the sent bytes (RELAY F2, OAUTH X22). A missing jsonrpc
// member passes.
//
// When Scan refuses a message, the error is one of this package's, and the
// Message holds at most the ID and Method, and these only if the message is a
// request that an error answer can name.
func Scan(line []byte) (Message, error) {
	if !utf8.Valid(line) {
		return Message{}, ErrSyntax
	}
	s := scanner{b: line}
	if s.space(); s.peek() == '[' {
		return Message{}, ErrBatch
	}
	e := envelope{Message: Message{Raw: line}, scanner: &s}
	err := s.document(e.top)
	if err == nil {
		err = e.classify()
	}
	switch {
	case err == nil:
		return e.Message, nil
	case errors.Is(err, ErrDepth):
		return Skim(line), err
	case errors.Is(err, ErrSyntax), e.count(idKey) != 1, e.count(methodKey) == 0, !isID(e.ID):
		return Message{}, err
	}
	return Message{ID: e.ID, Method: e.Method}, err
}

// isID reports whether a valid JSON value may be an id: a string or a number.
func isID(v []byte) bool {
	return len(v) > 0 && (v[0] == '"' || v[0] == '-' || v[0] >= '0' && v[0] <= '9')
}
