package fault

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Request is what a fault is chosen by. The members are those of sandbox.Entry.
type Request struct {
	Role          sandbox.Role
	Method, Path  string
	RPC, ID, Tool string
	// Grant is the grant_type of a token request.
	Grant string
}

// look reads the body and puts it back; the sandbox has it in memory already.
func look(role sandbox.Role, r *http.Request) Request {
	q := Request{Role: role, Method: r.Method, Path: r.URL.Path}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var m struct {
		Method string          `json:"method"`
		ID     json.RawMessage `json:"id"`
		Params struct {
			Name string `json:"name"`
		} `json:"params"`
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body)) // what is no form has no grant
		q.Grant = form.Get("grant_type")
	}
	if err != nil || json.Unmarshal(body, &m) != nil {
		return q
	}
	q.RPC, q.ID = m.Method, string(m.ID)
	if m.Method == "tools/call" {
		q.Tool = m.Params.Name
	}
	return q
}
