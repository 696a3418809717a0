package jsonmsg

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Compact makes one line of a message: if there are line breaks in it, the
// white space outside strings is dropped and nothing else changes (RELAY F3).
// Bytes that are not JSON come back as they are, for Scan to refuse.
func Compact(raw []byte) []byte {
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	var one bytes.Buffer
	one.Grow(len(raw))
	if err := json.Compact(&one, raw); err != nil {
		return raw
	}
	return one.Bytes()
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
