package jsonmsg

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Compact makes one line of a message: the white space around it goes, and, if
// there are line breaks within, all white space outside strings; nothing else
// changes (RELAY F3). It copies only in the second case: many servers end an
// answer with a line break. Bytes that are not JSON come back for Scan to refuse.
func Compact(raw []byte) []byte {
	raw = bytes.Trim(raw, " \t\r\n")
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	s := scanner{b: raw}
	if s.value() != nil || s.i < len(raw) {
		return raw
	}
	return dense(raw)
}

// dense returns a valid document without the white space outside strings.
func dense(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	s := scanner{b: raw}
	for s.space(); s.i < len(raw); s.space() {
		from := s.i
		for s.i < len(raw) && !blank(raw[s.i]) {
			if raw[s.i] != '"' {
				s.i++
			} else if s.str() != nil {
				return raw // cannot be: the document is valid
			}
		}
		out = append(out, raw[from:s.i]...)
	}
	return out
}

// ToolText is the result of a tool call that has one text, for the model to read
// (MCP 2025-11-25, schema, CallToolResult).
func ToolText(text string, isError bool) json.RawMessage {
	content := Object(Member{"type", Quote("text")}, Member{"text", Quote(text)})
	members := []Member{{"content", slices.Concat([]byte("["), content, []byte("]"))}}
	if isError {
		members = append(members, Member{"isError", []byte("true")})
	}
	return Object(members...)
}

// ErrorReply builds an error response of our own on one line. The id stands in
// it as written, nil becomes null; data is left out if nil or not encodable.
func ErrorReply(id json.RawMessage, code int, message string, data any) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	fault := struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{code, message, data}
	body, err := json.Marshal(fault)
	if err != nil {
		fault.Data = nil
		body, _ = json.Marshal(fault) // a number and a text always encode
	}
	return slices.Concat([]byte(`{"jsonrpc":"2.0","id":`), id, []byte(`,"error":`), body, []byte("}"))
}
