package main

import (
	"context"
	"encoding/json"
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

// hello sends an initialize request of our own and ends its session again.
func (p *parts) hello(ctx context.Context, a remote.Authorizer) error {
	r, err := p.remote(a, remote.Limits{Idle: helloLimit})
	if err != nil {
		return err
	}
	defer func() { _ = r.Close(ctx) }() // the session ends with the server's patience too
	line, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "initialize",
		"params": mcp.InitializeParams{
			ProtocolVersion: "2025-11-25",
			Capabilities:    &mcp.ClientCapabilities{},
			ClientInfo:      &mcp.Implementation{Name: "payu-mcp", Version: buildinfo.Version()},
		},
	})
	if err != nil {
		return fmt.Errorf("encoding initialize: %w", err)
	}
	m, err := jsonmsg.Scan(line)
	if err != nil {
		return fmt.Errorf("reading initialize: %w", err)
	}
	return r.Do(ctx, m, remote.Hooks{})
}
