package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// exchange is one message to the endpoint, with its tries; or one GET or DELETE.
type exchange struct {
	client *Client
	verb   string
	msg    jsonmsg.Message // zero for GET and DELETE
	hooks  Hooks
	idle   *idle
	own    bool   // our own message: it belongs to the making of a session
	lastID string // GET: the event to go on after; "" = none
	ending *bond  // DELETE: the session to end

	heard  bool // something of the answer has been delivered
	begun  time.Time
	resent map[event]int

	// of the last try:
	requestID string
	at        time.Time
	gen       int // the session that it was sent in
	token     redact.Secret
	grant     string      // the sign-in that token comes from; "" = not known
	bond      *bond       // POST: the session that it is in flight in; nil = none
	wrote     atomic.Bool // a byte may have left; set by the transport's goroutine
}

var (
	errUnwanted = errors.New("the host gave up")
	errStale    = errors.New("the server refuses the new token too")
)

// do takes the message to its answer: a try, and what the retry matrix says
// about it, until there is an answer or nothing more to do.
func (x *exchange) do(ctx context.Context) *Error {
	ctx, idle, end := watch(ctx, x.silence())
	defer end()
	x.idle, x.begun = idle, time.Now()
	for {
		f := x.try(ctx)
		if f == nil {
			return nil
		}
		x.client.learnFailure(x.msg, f)
		v := decide(x.facts(f))
		x.idle.pause()
		if v.step == giveUp {
			if f.event == eventUnauthorized {
				f.err = x.client.rejected(ctx, f) // this token is refused as well
			}
			return x.fault(v.kind, f)
		}
		x.count(f.event)
		if e := x.remedy(ctx, v, f); e != nil {
			return e
		}
	}
}

// silence is how long the server may be silent. A subscription may be for ever.
func (x *exchange) silence() time.Duration {
	if x.msg.Method == methodListen {
		return forever
	}
	return x.client.limits.Idle
}

func (x *exchange) facts(f *failure) facts {
	return facts{
		event: f.event, repeat: isRead(x.msg.Method), heard: x.heard, resent: x.resent[f.event],
		readOnly: x.msg.Method == methodCall && x.client.readOnly(x.msg.Name),
		since:    time.Since(x.begun), wait: f.wait,
	}
}

func (x *exchange) count(e event) {
	if x.resent == nil {
		x.resent = make(map[event]int)
	}
	x.resent[e]++
}

// remedy does what has to be done before the message goes out again; an error
// means that it does not.
func (x *exchange) remedy(ctx context.Context, v verdict, f *failure) *Error {
	x.client.log.LogAttrs(ctx, slog.LevelDebug, "sending a message again", slog.String("method", printable.Word(x.msg.Method)),
		slog.Int("status", f.status), slog.String("request_id", x.requestID))
	var err error
	switch v.step {
	case newToken:
		err = x.client.rejected(ctx, f)
		if err == nil && f.event == eventScope && x.client.isCurrent(ctx, f.token) {
			return x.fault(v.kind, f) // the server would say the same again
		}
	case newSession:
		err = x.client.renew(ctx, f.gen)
	case newTools:
		err = x.client.relist(ctx, x.msg)
	case sendAgain, giveUp:
		if !sleep(ctx, v.pause+jitter(min(v.pause/2, time.Second))) {
			err = context.Cause(ctx)
		}
	}
	switch e, _ := errors.AsType[*Error](err); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return x.fault(KindCancelled, f)
	case e != nil:
		return e
	case v.step == newToken:
		f.err = err
		return x.fault(KindSignIn, f)
	}
	f.err = err
	return x.fault(v.kind, f)
}

// try sends the message once and hands over what comes back.
func (x *exchange) try(ctx context.Context) *failure {
	defer x.exit(ctx)
	resp, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer resp.Body.Close()
	return x.receive(ctx, resp)
}

// exit ends the flight of a try.
func (x *exchange) exit(ctx context.Context) {
	if x.bond != nil {
		x.client.depart(ctx, x.client.session.exit(x.bond))
		x.bond = nil
	}
}

// open sends the request once, in the session there is, with the token there is,
// and returns the head of the answer. It is the one path for all methods.
func (x *exchange) open(ctx context.Context) (*http.Response, *failure) {
	x.idle.pause() // the Authorizer has its own time limit
	token, grant, err := x.bearer(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &failure{event: eventCancelled}
	case err != nil:
		return nil, &failure{event: eventNoToken, err: err}
	}
	x.token, x.grant = token, grant
	if x.inSession() {
		if err := x.client.settle(ctx, token, x.grant); err != nil {
			return nil, x.noSession(ctx, err)
		}
	}
	resp, err := x.send(ctx)
	if err != nil {
		return nil, x.broken(ctx, err)
	}
	return resp, nil
}

// inSession reports whether the message belongs into the session that the
// host's initialize began.
func (x *exchange) inSession() bool {
	return !x.own && !x.msg.Modern() && x.msg.Method != methodInitialize && x.verb != http.MethodDelete
}

// send writes the request.
func (x *exchange) send(ctx context.Context) (*http.Response, error) {
	x.requestID, x.at = newRequestID(), time.Now()
	x.wrote.Store(false)
	x.client.awake(x.at)
	r := x.request(ctx)
	if err := x.client.bear(r, x.token); err != nil {
		return nil, err
	}
	if x.hooks.Start != nil && !x.hooks.Start(x.requestID) {
		return nil, errUnwanted
	}
	x.idle.run()
	resp, err := x.client.http.RoundTrip(r)
	x.note(ctx, resp, err)
	if err != nil {
		return nil, err // explained by whoever tells it
	}
	if x.hooks.Head != nil {
		x.hooks.Head(resp.StatusCode, x.requestID)
	}
	resp.Body = watched{resp.Body, x.idle}
	return resp, nil
}

// request builds the request. GetBody is nil so that net/http cannot send it a
// second time on its own (RELAY section 6).
func (x *exchange) request(ctx context.Context) *http.Request {
	r := &http.Request{
		Method: x.verb, URL: x.client.endpoint, Host: x.client.endpoint.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, maxHeaders),
	}
	if x.verb == http.MethodPost {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(x.msg.Raw)), int64(len(x.msg.Raw))
	}
	x.setHeaders(r.Header)
	return r.WithContext(x.traced(ctx))
}

// traced notes when the first byte may have left, and when all have.
func (x *exchange) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { x.wrote.Store(true) },
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			if i.Err == nil && x.hooks.Sent != nil {
				x.hooks.Sent()
			}
		},
	})
}

// broken sorts a request that ended without a whole answer.
func (x *exchange) broken(ctx context.Context, err error) *failure {
	silent := errors.Is(context.Cause(ctx), errSilent)
	switch wrote := x.wrote.Load(); {
	case errors.Is(err, errUnwanted), ctx.Err() != nil && !silent && !wrote:
		return &failure{event: eventCancelled}
	case silent && !wrote:
		return &failure{event: eventNoConnection, err: errSilent}
	case silent:
		return &failure{event: eventSilent}
	case ctx.Err() != nil:
		return &failure{event: eventStopped}
	case turnedAway(err):
		return &failure{event: eventTurnedAway, err: errors.New(nettransport.Cause(err))}
	case wrote:
		return &failure{event: eventCut, err: errors.New(nettransport.Cause(err))}
	}
	reason, advice := nettransport.Explain(x.client.endpoint.Host, err)
	f := &failure{event: eventNotSent, err: hint.With(errors.New(reason), advice)}
	if nettransport.IsClock(err) {
		f.err = &sided{f.err, SideHere}
	}
	if untrusted(err) {
		f.event = eventNoConnection
	}
	return f
}

// noSession explains why there is no session to send the message in.
func (x *exchange) noSession(ctx context.Context, err error) *failure {
	if ctx.Err() != nil {
		return &failure{event: eventCancelled}
	}
	return &failure{event: eventNoSession, err: err}
}

// fault is the failure as the bridge gets it. What a failure of ours wraps
// already is passed on as it is.
func (x *exchange) fault(k Kind, f *failure) *Error {
	if e, ok := errors.AsType[*Error](f.err); ok {
		return e
	}
	err := f.err
	if k == KindSignIn && err == nil {
		err = errStale
	}
	return &Error{
		Kind: k, Status: f.status, RequestID: x.requestID, RetryAfter: f.wait, At: x.at, Err: err,
		MayHaveRun: matrix[f.event].ran != ranNo,
	}
}
