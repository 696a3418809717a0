package remote

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// Kind says in one word why a message failed. It goes to the host as data.kind
// of the JSON-RPC error (RELAY L16).
type Kind string

// The kinds of failures.
const (
	KindSignIn         Kind = "sign_in"         // 401, and only a person can help
	KindToken          Kind = "token"           // there is a credential, but no token can be had now
	KindForbidden      Kind = "forbidden"       // 403
	KindRefused        Kind = "refused"         // another 4xx: final
	KindRateLimited    Kind = "rate_limited"    // 429, or 408: see RetryAfter
	KindServerError    Kind = "server_error"    // 5xx, and nothing is lost by asking again
	KindUnreachable    Kind = "unreachable"     // no connection: nothing was sent
	KindInterrupted    Kind = "interrupted"     // sent, but the answer broke off; harmless to ask again
	KindTimeout        Kind = "timeout"         // sent, and silence for Limits.Idle; harmless to ask again
	KindUnknownOutcome Kind = "unknown_outcome" // a tool call that may have run
	KindBadAnswer      Kind = "bad_answer"      // answered with something that is no JSON-RPC answer
	KindUnreadable     Kind = "ran_unreadable"  // a tool call that ran, with an answer that is no JSON-RPC answer
	KindTooLarge       Kind = "too_large"       // answered with more than Limits.Answer
	KindRedirect       Kind = "redirect"        // 3xx: never followed
	KindNetworkSignIn  Kind = "network_sign_in" // a page, or 511: something before PayU answered
	KindPermission     Kind = "permission"      // 403 that asks for more scope, and none can be had
	KindSessionLost    Kind = "session_lost"    // the server no longer knows the session
	KindCancelled      Kind = "cancelled"       // ended from our side
	KindNotSent        Kind = "not_sent"        // signed in, but too late to send the call (said by the bridge)
	KindBusy           Kind = "busy"            // too much in flight (said by the bridge)
)

// Error is why one message failed. No text in it comes from the server.
type Error struct {
	Kind       Kind
	Status     int           // HTTP status; 0 if there was none
	RequestID  string        // X-Request-ID of the last try (HOSTS C10)
	RetryAfter time.Duration // what the server asked us to wait; 0 if it did not
	At         time.Time     // when the last try went out
	Err        error         // the cause; it may carry a hint of its own
	MayHaveRun bool          // the retry matrix does not exclude that the server has carried it out
}

// Error says on whose side the fault is and what happened; of what PayU's support
// may have to look up also the request id, and of a call whose outcome is unknown
// when it was sent.
func (e *Error) Error() string {
	text := e.Side() + ": " + phrases[e.Kind].what
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.RetryAfter > 0 {
		text += fmt.Sprintf(" (it asks to wait for %s)", e.RetryAfter)
	}
	switch {
	case e.Kind == KindUnknownOutcome:
		text += fmt.Sprintf(" (sent %s, request id %s)", e.At.UTC().Format(time.RFC3339), e.RequestID)
	case e.RequestID != "" && e.Status >= http.StatusOK && e.Side() == SidePayU && e.Kind != KindSignIn: // hosts show no data
		text += fmt.Sprintf(" (request id %s)", e.RequestID)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause, so that errors.Is finds ErrSignIn. A cause without
// a hint gets the one of the kind.
func (e *Error) Unwrap() error {
	advice := phrases[e.Kind].hint
	switch {
	case advice == "", hint.Of(e.Err) != "":
		return e.Err
	case e.Err == nil:
		return hint.With(errPlain, advice)
	}
	return hint.With(e.Err, advice)
}

// errPlain carries the hint of an Error that has no cause; nobody prints it.
var errPlain = errors.New("no further cause")

// Side says where the fault is, in one of the words below: where its cause says,
// which may know better, else where its kind mostly is.
func (e *Error) Side() string {
	if c, ok := errors.AsType[sider](e.Err); ok && c.Side() != "" {
		return c.Side()
	}
	if e.Kind == KindUnknownOutcome && e.Status != 0 {
		return SidePayU
	}
	return phrases[e.Kind].side
}

// sider is a cause that knows the side.
type sider interface {
	error
	Side() string
}

// sided is one.
type sided struct {
	error

	side string
}

// Side implements sider.
func (e *sided) Side() string { return e.side }

// Unwrap gives the cause itself, with its hint.
func (e *sided) Unwrap() error { return e.error }

// The sides that a fault may be on.
const (
	SideHere    = "this computer"
	SideNetwork = "network"
	SidePayU    = "PayU"
)

type phrase struct{ side, what, hint string }

// phrases is what people and models read for each kind.
var phrases = map[Kind]phrase{
	KindSignIn:         {SidePayU, "the sign-in is missing or no longer valid", "sign in with `payu-mcp login`, then repeat the request"},
	KindToken:          {SideHere, "the stored sign-in cannot be used at the moment", "`payu-mcp status` tells more"},
	KindForbidden:      {SidePayU, "the account may not do this, or is not enabled for MCP", "ask your key account manager at PayU or ai-solutions@payu.in whether MCP is enabled for this account"},
	KindPermission:     {SidePayU, "the sign-in lacks a permission that this needs", "sign in again and allow all that the page asks for; if it stays so, ask whoever manages the PayU account to grant it, or ask your key account manager at PayU or ai-solutions@payu.in"},
	KindRefused:        {SidePayU, "the request was refused", "check the endpoint with `payu-mcp status`"},
	KindRateLimited:    {SidePayU, "too many requests", "wait a moment, then repeat the request"},
	KindServerError:    {SidePayU, "the service has a fault", "wait a moment, then repeat the request"},
	KindUnreachable:    {SideNetwork, "cannot connect, nothing was sent", "check the network, the proxy and the firewall"},
	KindInterrupted:    {SideNetwork, "the answer broke off", "repeat the request"},
	KindTimeout:        {SideNetwork, "no answer came in time", "repeat the request"},
	KindUnknownOutcome: {SideNetwork, "outcome unknown, the call may have run", "check in PayU before trying again"},
	KindBadAnswer:      {SidePayU, "the answer cannot be read", "if this stays, report it to PayU with the request id"},
	KindUnreadable:     {SidePayU, "the call ran, but its answer cannot be read", "check in PayU before trying again"},
	KindTooLarge:       {SidePayU, "the answer is too large", "ask for less at a time"},
	KindRedirect:       {SideNetwork, "the endpoint redirects elsewhere, which is not followed", "check the endpoint, and whether this network wants a sign-in"},
	KindNetworkSignIn:  {SideNetwork, "a page came in the place of PayU's answer, as from a network that wants a sign-in of its own", "open any web page in the browser and sign in to the network if it asks for that, then repeat the request"},
	KindSessionLost:    {SidePayU, "the MCP session is gone", "restart the MCP server in the host"},
	KindCancelled:      {SideHere, "the request was cancelled", ""},
	KindNotSent:        {SideHere, "you are signed in, but nothing was sent to PayU", "repeat the request"},
	KindBusy:           {SideHere, "too many requests are in flight", "wait for some answers first"},
}
