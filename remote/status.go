package remote

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// codeMethodNotFound is JSON-RPC 2.0 section 5.1.
const codeMethodNotFound = -32601

// refused takes an answer that is no 2xx. A JSON-RPC error in it goes to the
// host byte for byte (RELAY Z12); else the status says what happened.
func (x *exchange) refused(resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	m, err := jsonmsg.Scan(jsonmsg.Compact(body))
	m, mine := x.own(m)
	isReply := err == nil && mine && m.IsError && x.msg.Kind == jsonmsg.Request && resp.StatusCode >= 400
	if x.sessionLost(resp.StatusCode, body, isReply && errorCode(m.Raw) == codeMethodNotFound) {
		return x.failed(eventSession, resp.StatusCode, nil)
	}
	if isReply {
		x.deliver(m)
		return nil
	}
	wait := retryAfter(resp.Header, x.at)
	e := x.failed(statusEvent(resp.StatusCode, wait > 0), resp.StatusCode, nil)
	e.RetryAfter = wait
	return e
}

// sessionLost tells a lost session (RELAY H5) from an unknown method or a plain
// 400 (H16): the body is looked at first.
func (x *exchange) sessionLost(status int, body []byte, unknownMethod bool) bool {
	if unknownMethod || x.msg.Method == methodInitialize || !x.client.session.given() {
		return false
	}
	return status == http.StatusNotFound ||
		status == http.StatusBadRequest && bytes.Contains(bytes.ToLower(body), []byte("session"))
}

// errorCode returns the code of a JSON-RPC error, 0 if there is none.
func errorCode(raw []byte) int {
	var m struct {
		Error struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return 0
	}
	return m.Error.Code
}
