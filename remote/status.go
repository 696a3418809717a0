package remote

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// refused takes an answer that is no 2xx. A JSON-RPC error in it goes to the
// host byte for byte (RELAY Z12); else the status says what happened.
func (x *exchange) refused(ctx context.Context, resp *http.Response) *failure {
	status := resp.StatusCode
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	m, err := jsonmsg.Scan(jsonmsg.Compact(body))
	m, mine := x.mine(m)
	isReply := err == nil && mine && m.IsError && x.msg.Kind == jsonmsg.Request && status >= 400
	f := &failure{
		status: status, wait: retryAfter(resp.Header, x.at), token: x.token, gen: x.gen,
		challenges: resp.Header.Values("WWW-Authenticate"),
	}
	f.event = statusEvent(status, resp.Header, f.wait)
	switch {
	case x.sessionLost(status, body, isReply && m.ErrorCode() == jsonmsg.CodeMethod):
		f.event = eventSession
	case isReply && x.final(f):
		return x.answered(ctx, m, resp)
	}
	return f
}

// final reports whether an error of the server's is its last word: nothing that
// we could do would bring another.
func (x *exchange) final(f *failure) bool {
	switch f.event {
	case eventUnauthorized, eventScope:
		return false
	case eventWait, eventOverloaded:
		return decide(x.facts(f)).step == giveUp
	default:
		return true
	}
}

// sessionLost tells a lost session (RELAY H5) from an unknown method or a plain
// 400 (H16): the body is looked at first.
func (x *exchange) sessionLost(status int, body []byte, unknownMethod bool) bool {
	if unknownMethod || x.own || x.msg.Modern() || x.msg.Method == methodInitialize || x.bond == nil || x.bond.id == "" {
		return false
	}
	return status == http.StatusNotFound ||
		status == http.StatusBadRequest && bytes.Contains(bytes.ToLower(body), []byte("session"))
}
