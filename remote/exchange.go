package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// exchange is one HTTP request to the endpoint, with its tries.
type exchange struct {
	client *Client
	verb   string
	msg    jsonmsg.Message // zero for GET and DELETE
	hooks  Hooks
	idle   *idle

	// of the last try:
	requestID string
	at        time.Time
	token     redact.Secret
	wrote     atomic.Bool // a byte may have left; set by the transport's goroutine
}

var (
	errUnwanted = errors.New("the host gave up")
	errStale    = errors.New("the server refuses the new token too")
)

// do posts the message and hands over what comes back.
func (x *exchange) do(ctx context.Context) *Error {
	ctx, idle, end := watch(ctx, x.client.limits.Idle)
	defer end()
	x.idle = idle
	resp, e := x.send(ctx)
	if e != nil {
		return e
	}
	defer resp.Body.Close()
	return x.receive(ctx, resp)
}

// send performs the request, with a token if there is one, and once more after
// a 401 that the Authorizer could help (RELAY R5). It is the one path for all
// methods.
func (x *exchange) send(ctx context.Context) (*http.Response, *Error) {
	for sent := 1; ; sent++ {
		x.idle.pause() // the Authorizer has its own time limit
		token, err := x.client.token(ctx)
		if err != nil {
			return nil, x.noToken(ctx, err)
		}
		x.token = token
		resp, err := x.try(ctx)
		if err != nil {
			return nil, x.broken(ctx, err)
		}
		if resp.StatusCode != http.StatusUnauthorized || x.verb == http.MethodDelete {
			return resp, nil
		}
		discard(resp)
		if e := x.unauthorized(ctx, resp.Header, sent); e != nil {
			return nil, e
		}
	}
}

// unauthorized settles a 401; nil means: send again.
func (x *exchange) unauthorized(ctx context.Context, h http.Header, sent int) *Error {
	x.idle.pause()
	err := x.client.rejected(ctx, x.token, h)
	if err != nil && ctx.Err() != nil {
		return x.fault(KindCancelled, http.StatusUnauthorized, nil)
	}
	v := decide(x.msg.Method, eventUnauthorized, sent)
	if err == nil && v.resend {
		return nil
	}
	if err == nil {
		err = errStale
	}
	return x.fault(KindSignIn, http.StatusUnauthorized, err)
}

// try sends the request once. GetBody is nil so that net/http cannot send it a
// second time on its own (RELAY section 6).
func (x *exchange) try(ctx context.Context) (*http.Response, error) {
	x.requestID, x.at = newRequestID(), time.Now()
	x.wrote.Store(false)
	var body io.Reader
	if x.verb == http.MethodPost {
		body = bytes.NewReader(x.msg.Raw)
	}
	r, err := http.NewRequestWithContext(x.traced(ctx), x.verb, x.client.endpoint.String(), body)
	if err != nil {
		return nil, err
	}
	r.GetBody = nil
	x.setHeaders(r.Header)
	if err := x.client.bear(r, x.token); err != nil {
		return nil, err
	}
	if x.hooks.Start != nil && !x.hooks.Start() {
		return nil, errUnwanted
	}
	x.idle.run()
	resp, err := x.client.http.Do(r)
	if err != nil {
		return nil, err
	}
	resp.Body = watched{resp.Body, x.idle}
	return resp, nil
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

func (x *exchange) noToken(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return x.fault(KindCancelled, 0, nil)
	}
	return x.fault(KindToken, 0, err)
}

// broken explains a request that ended without a whole answer.
func (x *exchange) broken(ctx context.Context, err error) *Error {
	switch {
	case errors.Is(err, errUnwanted):
		return x.fault(KindCancelled, 0, nil)
	case errors.Is(context.Cause(ctx), errSilent) && !x.wrote.Load():
		return x.failed(eventNotSent, 0, errSilent)
	case errors.Is(context.Cause(ctx), errSilent):
		return x.failed(eventSilent, 0, nil)
	case ctx.Err() != nil && !x.wrote.Load():
		return x.fault(KindCancelled, 0, nil)
	case ctx.Err() != nil:
		return x.failed(eventStopped, 0, nil)
	}
	if !x.wrote.Load() {
		reason, advice := nettransport.Explain(x.client.endpoint.Host, err)
		return x.failed(eventNotSent, 0, hint.With(errors.New(reason), advice))
	}
	return x.failed(eventCut, 0, errors.New(nettransport.Cause(err)))
}

// failed looks the event up in the retry matrix.
func (x *exchange) failed(e event, status int, err error) *Error {
	return x.fault(decide(x.msg.Method, e, 1).kind, status, err)
}

func (x *exchange) fault(k Kind, status int, err error) *Error {
	return &Error{Kind: k, Status: status, RequestID: x.requestID, At: x.at, Err: err}
}
