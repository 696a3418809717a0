package main

import (
	"log/slog"
	"path/filepath"
	"sync"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// sibling is another process's parts, in this one.
func (c *computer) sibling() *parts {
	c.t.Helper()
	o := &options{profile: "default", stateDir: filepath.Join(c.home, "state"), login: settings{URL: c.sandbox.Endpoint(), Store: "file"}}
	e := env{getenv: func(string) string { return "" }}
	p, err := wire(o, e, slog.New(slog.DiscardHandler), storeUse{keyring: keychain.NewKeyring(nil, keychain.BridgeDeadline), memory: true})
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// OAUTH B2 on real files: several stores of one state folder, each with its own
// lock, as processes have.
func TestStore_severalOnOneFolder_oneRefreshAndLogoutSeen(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.login()
	var all []*parts
	for range 6 {
		all = append(all, c.sibling())
	}
	ctx := t.Context()
	old, err := all[0].auth.Token(ctx)
	if err != nil || old == "" {
		t.Fatal(err)
	}
	c.sandbox.ExpireAccessTokens()
	each(all, func(p *parts) {
		if err := p.auth.Rejected(ctx, old, nil); err != nil {
			t.Errorf("Rejected = %v", err)
		}
		if token, err := p.auth.Token(ctx); err != nil || token == old {
			t.Errorf("Token = %v", err)
		}
	})
	if n, spent := c.sandbox.Log().Count(sandbox.Query{Grant: "refresh_token"}), c.sandbox.Log().RefreshCollisions(); n != 1 || spent != 0 {
		t.Errorf("%d refreshes, %d refresh tokens spent twice", n, spent)
	}
	if out, err := c.command("logout").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	each(all, func(p *parts) {
		if token, err := p.auth.Token(ctx); err != nil || token != "" {
			t.Errorf("after the logout elsewhere: token there %v, %v", token != "", err)
		}
		if err := p.close(ctx); err != nil {
			t.Error(err)
		}
	})
}

func each(all []*parts, do func(p *parts)) {
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() { do(p) })
	}
	wg.Wait()
}
