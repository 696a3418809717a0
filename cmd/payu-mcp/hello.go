package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

// bare sends no token, whoever is signed in, and lets the client see the
// challenge.
type bare struct{ *auth.Client }

// Rejected implements remote.Authorizer.
func (b bare) Rejected(ctx context.Context, token redact.Secret, challenges []string) error {
	if err := b.Client.Rejected(ctx, token, challenges); err != nil {
		return err
	}
	return auth.ErrSignInNeeded
}

// Token implements remote.Authorizer.
func (bare) Token(context.Context) (redact.Secret, error) { return "", nil }

// helloLimit is how long an endpoint may be silent while a person waits.
const helloLimit = 15 * time.Second

// hello greets the server as a host would, and ends the session again if that
// makes one: server/discover, from which the era is known the next time (RELAY
// M5), and initialize where that is not understood.
func (p *parts) hello(ctx context.Context, a remote.Authorizer) error {
	return p.greet(ctx, a, func(*remote.Client, string, json.RawMessage) {})
}

// greet does what hello says. A server that has answered is heard out by then,
// in the protocol version of its answer, before the session ends.
func (p *parts) greet(ctx context.Context, a remote.Authorizer, then func(r *remote.Client, version string, opening json.RawMessage)) error {
	r, err := p.remote(a, remote.Limits{Idle: helloLimit})
	if err != nil {
		return err
	}
	defer func() { _ = r.Close(ctx) }() // the session ends with the server's patience too
	version := catalogue.Modern
	opening, err := catalogue.Greet(ctx, r, version, clientInfo())
	if !r.Era().TakesModern() && (err == nil || answered(err)) {
		version = hostVersions()[0]
		opening, err = catalogue.Greet(ctx, r, version, clientInfo())
	}
	if err == nil {
		then(r, version, opening)
	}
	if _, unanswered := errors.AsType[*remote.Error](err); !unanswered {
		return nil // what it answered is not asked here
	}
	return err
}

// answered reports whether a legacy server may have said no to server/discover:
// what went wrong otherwise would go wrong again.
func answered(err error) bool {
	e, ok := errors.AsType[*remote.Error](err)
	return !ok || e.Status != 0 && e.Kind != remote.KindSignIn
}

// clientInfo is how payu-mcp introduces itself where no host stands behind it.
func clientInfo() json.RawMessage {
	return jsonmsg.Object(
		jsonmsg.Member{Key: "name", Value: jsonmsg.Quote("payu-mcp")},
		jsonmsg.Member{Key: "version", Value: jsonmsg.Quote(buildinfo.Version())},
	)
}
