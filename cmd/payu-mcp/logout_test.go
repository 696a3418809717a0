package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// noticeLimit is how soon an idle bridge must have ended its session after a
// logout elsewhere.
const noticeLimit = 5 * time.Second

// idleBridges starts hosts whose sessions and streams are open, and with nothing
// left to read.
func (c *computer) idleBridges(n int) []*demoHost {
	c.t.Helper()
	var hosts []*demoHost
	for range n {
		h, _ := c.host()
		handshake(c.t, h)
		c.asks(h)
		hosts = append(hosts, h)
	}
	c.until(10*time.Second, func() bool { return c.sandbox.Streams() == n && c.sandbox.Sessions() == n })
	return hosts
}

func (c *computer) asks(h *demoHost) {
	c.t.Helper()
	if a, err := h.ask(c.t.Context(), "tools/call", healthCheck()); err != nil || !strings.Contains(a.text(), "running") {
		c.t.Errorf("a call: %v %q", err, a.text())
	}
}

// until looks whenever the sandbox has something new, and now and then.
func (c *computer) until(limit time.Duration, done func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatalf("it has not come to that in %s: %d streams, %d sessions", limit, c.sandbox.Streams(), c.sandbox.Sessions())
		}
	}
}

// openSessions lists the ids of the sessions that have a stream, as the log has
// them.
func (c *computer) openSessions() []string {
	var ids []string
	for _, e := range c.sandbox.Log().Find(sandbox.Query{Method: http.MethodGet, Path: "/mcp", Status: http.StatusOK}) {
		if !e.Done {
			ids = append(ids, e.Header.Get("Mcp-Session-Id"))
		}
	}
	return ids
}

// leave waits until the server was told that these sessions are over, with a
// token, and none of them holds its stream any more.
func (c *computer) leave(sessions []string) {
	c.t.Helper()
	c.until(noticeLimit, func() bool {
		told := map[string]bool{}
		for _, e := range c.sandbox.Log().Find(sandbox.Query{Method: http.MethodDelete}) {
			told[e.Header.Get("Mcp-Session-Id")] = e.Authorization != "" && e.Done
		}
		streams := c.openSessions()
		return !slices.ContainsFunc(sessions, func(id string) bool { return !told[id] || slices.Contains(streams, id) })
	})
}

// refreshes tries all that the sandbox has issued as a refresh token.
func (c *computer) refreshes() (works int) {
	c.t.Helper()
	secrets, client := c.sandbox.Secrets(), c.sandbox.Clients()[0].ID
	for _, secret := range secrets {
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {secret}}
		r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.sandbox.AccountsOrigin()+"/oauth/token", strings.NewReader(form.Encode()))
		if err != nil {
			c.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := c.sandbox.HTTPClient().Do(r)
		if err != nil {
			c.t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			works++
		}
	}
	return works
}

// Two bridges idle, one logout (OAUTH L11, B6): both have ended their session and
// stream within 5 s and have told their hosts nothing; what the server issued is
// dead, file and key are gone, and the next call leads to a sign-in.
//
//oauth:row A35 remote/bond.go "return b.token, b.grant, nil\n\t}" => "return \"\", \"\", nil\n\t}"
func TestLogout_twoIdleBridges_endTheirSessionsAndSignInAgain(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sessionsAndStreams())
	c.login()
	hosts := c.idleBridges(2)
	sessions := c.openSessions()
	if out, err := c.command("logout").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.leave(sessions)
	for _, h := range hosts {
		select {
		case line := <-h.lines:
			t.Errorf("the host was told %s", line)
		default:
		}
	}
	if c.sandbox.Streams() != 0 || len(sessions) != 2 {
		t.Errorf("%d streams are left of %d", c.sandbox.Streams(), len(sessions))
	}
	if n := c.refreshes(); n != 0 {
		t.Errorf("%d refresh tokens still work", n)
	}
	if left, _ := filepath.Glob(filepath.Join(c.home, "state", "credential-*.*")); slices.ContainsFunc(left, func(f string) bool { return !strings.HasSuffix(f, ".lock") && !strings.HasSuffix(f, ".login") }) {
		t.Errorf("left: %q", left)
	}
	before := c.sandbox.Log().Len()
	for _, h := range hosts {
		c.asks(h)
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	}
	if n := c.sandbox.Log().Count(sandbox.Query{Grant: "authorization_code", Status: http.StatusOK, After: before}); n != 1 {
		t.Errorf("%d sign-ins", n)
	}
}

// Somebody else signs in, in another process: what is open is of who has left.
func TestLogin_elsewhereAsAnother_idleBridgesEndTheirSessions(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sessionsAndStreams())
	c.login()
	hosts := c.idleBridges(2)
	old := c.openSessions()
	c.opener = "payu-mcp demo-browser --user A"
	c.login()
	c.leave(old)
	for _, h := range hosts {
		c.asks(h)
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	}
	for _, e := range c.sandbox.Log().Find(sandbox.Query{RPC: "tools/call"})[len(hosts):] {
		if slices.Contains(old, e.Header.Get("Mcp-Session-Id")) {
			t.Error("a call went out in the session of the one who left")
		}
	}
}

// A server of the modern era has no session to end, but the stream of the
// subscriptions that stands behind a legacy host ends too.
func TestLogout_modernServer_streamEnds(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Era: sandbox.EraModern}}})
	c.login()
	h, _ := c.host()
	handshake(t, h)
	c.asks(h)
	c.until(10*time.Second, func() bool { return c.sandbox.Streams() == 1 })
	if out, err := c.command("logout").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.until(noticeLimit, func() bool { return c.sandbox.Streams() == 0 })
	c.asks(h)
	c.until(10*time.Second, func() bool { return c.sandbox.Streams() == 1 })
	if err := h.stop(); err != nil {
		t.Error(err)
	}
}

// An authorization server in a private network, which login was told the metadata
// of, is asked to revoke as it was asked for the tokens.
func TestLogout_serverInPrivateNetwork_isAsked(t *testing.T) {
	t.Parallel()
	const endpoint, server = "https://mcp.example.invalid/mcp", "https://login.corp.internal"
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect && r.Host == "login.corp.internal:443" {
			asked.Add(1)
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	c := newComputer(t, sandbox.Options{})
	o := &options{profile: "default", stateDir: filepath.Join(c.home, "state"), login: settings{
		URL: endpoint, AuthServerMetadataURL: server + "/metadata", Proxy: proxy.URL, Store: storeFile,
	}}
	p, err := wire(o, env{getenv: func(string) string { return "" }}, slog.New(slog.DiscardHandler), storeUse{})
	if err != nil {
		t.Fatal(err)
	}
	store := &credentialStore{sealed: p.store, log: p.log}
	err = store.Update(t.Context(), func(context.Context, *auth.Credential) (*auth.Credential, error) {
		return &auth.Credential{AccessToken: "access", Server: auth.Server{Issuer: server, RevocationEndpoint: server + "/revoke"}}, nil
	})
	if err := errors.Join(err, p.close(t.Context()), saveSettings(o.stateDir, o.profile, o.login)); err != nil {
		t.Fatal(err)
	}
	if out, err := c.command("logout").CombinedOutput(); err == nil || asked.Load() != 1 {
		t.Errorf("asked %d times: %v\n%s", asked.Load(), err, out)
	}
}
