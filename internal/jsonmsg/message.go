package jsonmsg

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Kind tells what a message is.
type Kind int

// The kinds of JSON-RPC messages.
const (
	Request      Kind = iota + 1 // a method and an id
	Notification                 // a method, no id
	Response                     // a result or an error
)

// Message is one scanned message. The slices point into Raw; nobody may write
// to them.
type Message struct {
	Raw      []byte          // the message as it came; one line after Compact
	Kind     Kind            // zero if Scan refused the message
	ID       json.RawMessage // id as written; nil if absent, "null" only in a Response
	Method   string          // method
	Name     string          // params.name, else params.uri, if it is a string
	CancelID json.RawMessage // params.requestId as written (notifications/cancelled)
	Version  string          // protocolVersion of params or result (initialize)
	Meta     string          // params._meta, its io.modelcontextprotocol/protocolVersion: a request of the modern era
	IsError  bool            // a Response with an error member

	ResultType string // result.resultType: of a response of the modern era

	idAt int // where ID begins in Raw
}

// A refused message. Code gives the JSON-RPC error code that answers each.
var (
	ErrSyntax    = errors.New("not valid JSON in UTF-8")
	ErrBatch     = errors.New("batches are not supported")
	ErrDepth     = errors.New("nested too deeply")
	ErrDuplicate = errors.New("a member is given twice")
	ErrInvalid   = errors.New("not a JSON-RPC request, notification or response")
)

// JSON-RPC 2.0 section 5.1 error codes that the relay answers with.
const (
	CodeParse    = -32700
	CodeInvalid  = -32600
	CodeMethod   = -32601
	CodeInternal = -32603
)

// Code returns the JSON-RPC error code for a message that Scan refused.
func Code(err error) int {
	if errors.Is(err, ErrSyntax) || errors.Is(err, ErrBatch) {
		return CodeParse
	}
	return CodeInvalid
}

// Modern reports whether a request carries its protocol version with it, as
// every request of the modern era does and none of the legacy era (MCP
// 2026-07-28, versioning).
func (m Message) Modern() bool { return m.Meta != "" }

// ErrorCode returns the code of an error response; 0 if it is none, or has none.
func (m Message) ErrorCode() int {
	if !m.IsError {
		return 0
	}
	code, err := strconv.Atoi(string(Lookup(m.Raw, "error", "code")))
	if err != nil {
		return 0
	}
	return code
}

// NullID reports whether a Response names no request: its id is null or absent.
func (m Message) NullID() bool { return m.ID == nil || string(m.ID) == "null" }

// WithID returns the message with its id replaced, all else as it was (RELAY
// F4). A message without an id gets one as its first member.
func (m Message) WithID(id json.RawMessage) Message {
	head, tail := m.Raw[:m.idAt], m.Raw[m.idAt+len(m.ID):]
	if m.ID == nil {
		m.idAt = bytes.IndexByte(m.Raw, '{') + 1
		tail = slices.Concat([]byte(","), m.Raw[m.idAt:])
		head = slices.Concat(m.Raw[:m.idAt], []byte(`"id":`))
		m.idAt = len(head)
	}
	m.Raw, m.ID = slices.Concat(head, id, tail), slices.Clone(id)
	return m
}

// Key returns a form of an id under which equal ids meet, however a peer writes
// them: strings are unescaped, a whole number loses its zero fraction ("1.0").
// Digits are never rounded.
func Key(id json.RawMessage) string {
	if len(id) > 0 && id[0] == '"' {
		return "s" + unquote(id)
	}
	number := string(id)
	if whole, fraction, ok := strings.Cut(number, "."); ok && strings.Trim(fraction, "0") == "" {
		number = whole
	}
	return "n" + number
}

// unquote decodes a string literal that Scan found valid.
func unquote(literal []byte) string {
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal[1 : len(literal)-1])
	}
	var s string
	if err := json.Unmarshal(literal, &s); err != nil {
		return string(literal)
	}
	return s
}
