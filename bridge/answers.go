package bridge

import (
	"errors"
	"log/slog"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/remote"
)

// source marks the errors that are ours and not the server's (RELAY L16).
const source = "payu-mcp"

// Kinds of errors that concern the host's message itself.
const (
	kindBadMessage = "bad_message"
	kindInternal   = "internal"
	kindLegacy     = "legacy_server"
)

// errorData is the data of every error that we author.
type errorData struct {
	Source     string `json:"source"`
	Kind       string `json:"kind"`
	Side       string `json:"side"`                 // whose the fault is: this computer, network, PayU, host
	Status     int    `json:"status,omitempty"`     // HTTP status
	RetryAfter int    `json:"retryAfter,omitempty"` // seconds
	Hint       string `json:"hint,omitempty"`
	RequestID  string `json:"requestId,omitempty"` // X-Request-ID, for PayU's support
	Entry      string `json:"entry,omitempty"`     // of the journal, if the outcome of a call is unknown
}

// sideHost is the side of messages that are not as they must be.
const sideHost = "host"

func dataOf(err error, kind string) errorData {
	d := errorData{Source: source, Kind: kind, Side: remote.SideHere, Hint: hint.Of(err)}
	if kind == kindBadMessage {
		d.Side = sideHost
	}
	if e, ok := errors.AsType[*remote.Error](err); ok {
		d.Kind, d.Side, d.Status, d.RequestID = string(e.Kind), e.Side(), e.Status, e.RequestID
		d.RetryAfter = int((e.RetryAfter + time.Second - 1) / time.Second)
	}
	if r, ok := errors.AsType[*recorded](err); ok {
		d.Entry, d.Hint = r.id, r.hint()
	}
	return d
}

// reject answers a line that is not relayed. One that names no request is
// answered with id null, as JSON-RPC 2.0 section 5 says.
func (b *bridge) reject(m jsonmsg.Message, code int, err error) {
	b.log.LogAttrs(b.ctx, slog.LevelWarn, "refused a message of the host",
		slog.String("method", printable.Word(m.Method)), slog.String("id", idWord(m.ID)), slog.Any("error", err))
	b.answer(m, code, err)
}

// answer tells the host why its message failed. It goes out even while the
// bridge closes: the output itself ends that. It returns the size of the answer.
func (b *bridge) answer(m jsonmsg.Message, code int, err error) int {
	kind := kindInternal
	if code != jsonmsg.CodeInternal {
		kind = kindBadMessage
	}
	line := jsonmsg.ErrorReply(m.ID, code, err.Error(), dataOf(err, kind))
	b.out.send(b.always, line)
	return len(line)
}
