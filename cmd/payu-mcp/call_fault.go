package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/keychain"
	"github.com/payu-mcp/payu-mcp/remote"
)

// Kinds of faults that only the command line knows, beside those of
// docs/errors.md.
const (
	kindUsage       = "usage"       // the command line or the arguments cannot be meant
	kindBrake       = "brake"       // held back by the options of docs/policy.md
	kindServerSays  = "server_says" // a JSON-RPC error of the server
	kindInterrupted = "interrupted" // Ctrl-C, and nothing was sent or the tool only reads
	kindOther       = "other"
)

// callError is why there is no result: what --json prints. Its members are those
// of data in docs/errors.md, and only ever added to.
type callError struct {
	Message    string `json:"message"`
	Kind       string `json:"kind"`
	Side       string `json:"side"`
	Hint       string `json:"hint,omitempty"`
	Status     int    `json:"status,omitempty"`
	RetryAfter int    `json:"retryAfter,omitempty"`
	RequestID  string `json:"requestId,omitempty"`
	Entry      string `json:"entry,omitempty"` // of the journal, if the outcome is unknown
	// Server is the server's own error, as it came.
	Server json.RawMessage `json:"serverError,omitempty"`
}

// Error is the sentence for a person.
func (f *callError) Error() string { return f.Message }

// asError gives a fault its hint, and its exit code.
func (f *callError) asError() error {
	kind := exitKind(f.Kind)
	if f.Entry != "" { // the journal has it as unknown, however it failed
		kind = errOutcomeUnknown
	}
	if kind == nil {
		return hint.With(f, f.Hint)
	}
	return hint.With(kindError{f, kind}, f.Hint)
}

// exitKind is the sentinel that has the exit code of a kind; nil: 1.
func exitKind(kind string) error {
	switch remote.Kind(kind) {
	case remote.KindSignIn, remote.KindPermission:
		return errNeedsLogin
	case remote.KindUnknownOutcome, remote.KindUnreadable:
		return errOutcomeUnknown
	case remote.KindToken, remote.KindCancelled, remote.KindNotSent, remote.KindBusy:
		return nil
	case remote.KindForbidden, remote.KindRefused, remote.KindRateLimited, remote.KindServerError, remote.KindUnreachable,
		remote.KindInterrupted, remote.KindTimeout, remote.KindBadAnswer, remote.KindTooLarge, remote.KindRedirect,
		remote.KindNetworkSignIn, remote.KindSessionLost:
		return auth.ErrServer
	}
	return nil
}

// faultIn reads a JSON-RPC error: one of the bridge's, or the server's own, which
// is not believed to be ours.
func faultIn(m jsonmsg.Message, servers bool) *callError {
	raw := jsonmsg.Lookup(m.Raw, "error")
	text := jsonmsg.Text(jsonmsg.Lookup(raw, "message"))
	data := jsonmsg.Lookup(raw, "data")
	f := &callError{Message: text}
	if !servers && jsonmsg.Text(jsonmsg.Lookup(data, "source")) == "payu-mcp" && json.Unmarshal(data, f) == nil {
		return f
	}
	return &callError{
		Message: fmt.Sprintf("%s: it answered with error %d: %s", remote.SidePayU, m.ErrorCode(), printable.Line(text, longestValue)),
		Kind:    kindServerSays, Side: remote.SidePayU, Server: raw,
	}
}

// faultIs is an error as --json shows it.
func faultIs(err error) *callError {
	if f, ok := errors.AsType[*callError](err); ok {
		return f
	}
	f := &callError{Message: oneLine(err.Error()), Kind: kindOther, Side: remote.SideHere, Hint: hint.Of(err)}
	if e, ok := errors.AsType[*remote.Error](err); ok {
		f.Kind, f.Side, f.Status, f.RequestID = string(e.Kind), e.Side(), e.Status, e.RequestID
		return f
	}
	if _, ok := errors.AsType[usageError](err); ok {
		f.Kind = kindUsage
		return f
	}
	for kind, is := range map[string]error{
		string(remote.KindSignIn): errNeedsLogin, string(remote.KindToken): keychain.ErrUnavailable,
		string(remote.KindUnknownOutcome): errOutcomeUnknown, kindInterrupted: errInterrupted,
	} {
		if errors.Is(err, is) {
			f.Kind = kind
		}
	}
	return f
}

// writeFault prints {"error":{...}} on one line.
func writeFault(w io.Writer, err error) error {
	b, encodeErr := json.Marshal(map[string]*callError{"error": faultIs(err)})
	if encodeErr != nil {
		return fmt.Errorf("encoding the error: %w", encodeErr)
	}
	_, writeErr := w.Write(append(printable.JSON(b), '\n'))
	return writeErr
}

// heldBack is a call that was kept back here.
func heldBack(kind, text, advice string) error {
	return (&callError{Message: text, Kind: cmp.Or(kind, kindOther), Side: remote.SideHere, Hint: advice}).asError()
}

// asInterrupt gives it the exit code of Ctrl-C.
func (f *callError) asInterrupt() error { return hint.With(kindError{f, errInterrupted}, f.Hint) }

// asRefused gives it that of somebody who said no.
func (f *callError) asRefused() error { return hint.With(kindError{f, auth.ErrDenied}, f.Hint) }
