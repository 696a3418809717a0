package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/payu-mcp/payu-mcp/auth"
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
	r, err := p.remote(a, remote.Limits{Idle: helloLimit})
	if err != nil {
		return err
	}
	defer func() { _ = r.Close(ctx) }() // the session ends with the server's patience too
	self := &mcp.Implementation{Name: "payu-mcp", Version: buildinfo.Version()}
	err = greet(ctx, r, "server/discover", mcp.DiscoverParams{Meta: mcp.Meta{
		mcp.MetaKeyProtocolVersion:    "2026-07-28",
		mcp.MetaKeyClientInfo:         self,
		mcp.MetaKeyClientCapabilities: &mcp.ClientCapabilities{},
	}})
	if r.Era().TakesModern() || err != nil && !answered(err) {
		return err
	}
	return greet(ctx, r, "initialize", mcp.InitializeParams{
		ProtocolVersion: "2025-11-25", Capabilities: &mcp.ClientCapabilities{}, ClientInfo: self,
	})
}

// answered reports whether a legacy server may have said no to server/discover:
// what went wrong otherwise would go wrong again.
func answered(err error) bool {
	e, ok := errors.AsType[*remote.Error](err)
	return ok && e.Status != 0 && e.Kind != remote.KindSignIn
}

func greet(ctx context.Context, r *remote.Client, method string, params any) error {
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("encoding %s: %w", method, err)
	}
	m, err := jsonmsg.Scan(line)
	if err != nil {
		return fmt.Errorf("reading %s: %w", method, err)
	}
	return r.Do(ctx, m, remote.Hooks{})
}
