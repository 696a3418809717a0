package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// JSON-RPC error codes (PAYU E1).
const (
	codeParse   = -32700
	codeInvalid = -32600
	codeMethod  = -32601
	codeParams  = -32602
	codeFault   = -32603
	codeServer  = -32000
)

// message is a JSON-RPC message as it came. The id keeps its bytes.
type message struct {
	Method string          `json:"method"`
	ID     json.RawMessage `json:"id"`
	Params json.RawMessage `json:"params"`
	raw    []byte
}

type rpcError struct {
	code    int
	message string
}

func readMessage(r *http.Request) (*message, *rpcError) {
	raw, err := io.ReadAll(r.Body)
	if err != nil || !json.Valid(raw) {
		return nil, &rpcError{codeParse, "Parse error"}
	}
	m := &message{raw: raw}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) || json.Unmarshal(raw, m) != nil || m.Method == "" && m.ID == nil {
		return nil, &rpcError{codeInvalid, "Invalid Request"}
	}
	return m, nil
}

// result and failure build messages by hand, so that ids and results keep their
// bytes.
func result(id json.RawMessage, body []byte) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":%s}`, id, body)
}

func failure(id string, code int, text string) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%s}}`, id, code, quoted(text))
}

// writeError answers a message whose id is not known, or not worth knowing.
func writeError(w http.ResponseWriter, status, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(failure("null", code, text))
}

// quoted is s as a JSON string. Strings always encode.
func quoted(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// marshal encodes values that always encode: maps and structs of our own.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
