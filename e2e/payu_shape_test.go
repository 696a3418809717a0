package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// merchant is somebody who signs in to PayU by its own host names: the sandbox
// stands behind a proxy, with a CA of its own, and nobody has ever signed in.
type merchant struct {
	*world

	sb     *sandbox.Sandbox
	faults fault.Injector
	ca     string
}

func newMerchant(t *testing.T, user string) *merchant {
	t.Helper()
	m := &merchant{world: newWorld(t)}
	m.sb = startSandbox(t, sandbox.Options{TLS: true, HTTP2: true, PayUNames: true, Wrap: m.faults.Wrap})
	m.ca = m.path("ca.pem")
	if err := os.WriteFile(m.ca, m.sb.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m.setenv("PAYU_MCP_BROWSER", fmt.Sprintf("env HTTPS_PROXY=%s SSL_CERT_FILE=%s %q visitor %s", m.sb.ProxyURL(), m.ca, self, user))
	return m
}

// login signs in: no address is given, so it is PayU's.
func (m *merchant) login(args ...string) result {
	m.t.Helper()
	return m.payu(append([]string{"login", "--store=file", "--proxy", m.sb.ProxyURL(), "--ca-file", m.ca}, args...)...)
}

// secretFile is a file with a client secret, as an editor leaves it.
func (m *merchant) secretFile(secret string) string {
	m.t.Helper()
	file := m.path("client-secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return file
}

// freePort is a port of this computer that nobody has.
func freePort(t *testing.T) (port, redirect string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, "http://127.0.0.1:" + port + "/callback"
}

const (
	byHandID = "registered-by-hand"
	// What RFC 6749 section 2.3.1 encodes in the header and nobody else does.
	byHandSecret = "a secret: with + and % and /é"
)

// PayU as it is documented, and as it may turn out to be: each signs in through the
// built binary at PayU's own names (PAYU P2 to P9, OAUTH Y1 to Y4). How the client
// proves who it is, is looked up on the wire (OAUTH A11, A34).
//
//oauth:row A11 auth/register.go `ClientID: c.cfg.ClientID, Secret: c.cfg.ClientSecret,` => `ClientID: c.cfg.ClientID,`
//oauth:row A34 auth/token_request.go `if r.AuthMethod == authPost {` => `if false {`
func TestPayU_shapesThatMayBe_signedIn(t *testing.T) {
	t.Parallel()
	methods := func(list ...string) sandbox.MetadataKnobs {
		return sandbox.MetadataKnobs{NoRegistration: true, Members: map[string]any{"token_endpoint_auth_methods_supported": list}}
	}
	silent := sandbox.MetadataKnobs{NoRegistration: true, Members: map[string]any{"token_endpoint_auth_methods_supported": nil}}
	for name, c := range map[string]struct {
		metadata sandbox.MetadataKnobs
		method   string // of a client that was registered by hand; "": it registers itself
		issuer   string
		note     string
	}{
		"as documented":                   {issuer: "https://api.payu.in"},
		"issuer is accounts":              {metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts}, issuer: "https://accounts.payu.in"},
		"no PKCE list":                    {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEAbsent}, issuer: "https://api.payu.in", note: "does not say that it supports PKCE"},
		"public client by hand":           {metadata: sandbox.MetadataKnobs{NoRegistration: true}, method: "none", issuer: "https://api.payu.in"},
		"confidential, basic":             {metadata: methods("client_secret_basic"), method: "client_secret_basic", issuer: "https://api.payu.in"},
		"confidential, post":              {metadata: methods("client_secret_post"), method: "client_secret_post", issuer: "https://api.payu.in"},
		"confidential, no method is told": {metadata: silent, method: "client_secret_post", issuer: "https://api.payu.in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, "A")
			m.sb.SetMetadata(c.metadata)
			m.must(m.login(m.byHand(c.method)...), 0)
			m.wantProof(c.method)
			r := m.must(m.payu("status", "--json"), 0)
			var s struct {
				Endpoint, Issuer string
				Notes            []string
				Token            struct{ Refreshable bool }
			}
			if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
				t.Fatal(err)
			}
			if notes := strings.Join(s.Notes, "; "); s.Endpoint != "https://api.payu.in/mcp" || s.Issuer != c.issuer || !s.Token.Refreshable || !strings.Contains(notes, c.note) || (c.note == "") != (notes == "") {
				t.Errorf("status: %s", r.stdout)
			}
			if n := m.sb.Log().Count(sandbox.Query{Role: sandbox.RoleForeign}); n != 0 {
				t.Errorf("%d requests went abroad", n)
			}
			m.must(m.payu("logout"), 0)
			_ = os.Remove(m.path("client-secret")) // the person's own
			m.noLeaks(append(m.sb.Secrets(), byHandSecret))
		})
	}
}

// byHand registers a client at the sandbox, as PayU's people would, and returns the
// options that name it.
func (m *merchant) byHand(method string) []string {
	m.t.Helper()
	if method == "" {
		return nil
	}
	port, redirect := freePort(m.t)
	client := sandbox.Client{ID: byHandID, AuthMethod: method, RedirectURIs: []string{redirect}}
	args := []string{"--client-id", byHandID, "--callback-port", port}
	if method != "none" {
		client.Secret = redact.Secret(byHandSecret)
		args = append(args, "--client-secret-file", m.secretFile(byHandSecret))
	}
	m.sb.AddClient(client)
	return args
}

// wantProof looks up how the client proved who it is, at the exchange and at the
// requests before it.
func (m *merchant) wantProof(method string) {
	m.t.Helper()
	if n := m.sb.Log().Count(sandbox.Query{Path: "/register"}); (n == 0) != (method != "") {
		m.t.Errorf("%d registrations", n)
	}
	all := m.sb.Log().Find(sandbox.Query{Path: "/oauth/token"})
	if len(all) != 1 {
		m.t.Fatalf("%d token requests: a code is sent once", len(all))
	}
	e := all[0]
	header, form := strings.HasPrefix(e.Authorization, "basic "), e.Form.Has("client_secret")
	if header != (method == "client_secret_basic") || form != (method == "client_secret_post") || e.Form.Has("client_id") == header {
		m.t.Errorf("%s: header %q, form %v", method, e.Authorization, e.Form)
	}
	asked := m.sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"})
	if last := asked[len(asked)-1].Form; last.Get("code_challenge_method") != "S256" || last.Get("resource") != "https://api.payu.in/mcp" {
		m.t.Errorf("authorization request %v", last)
	}
}

// PayU forgets the client that registered itself: before the sign-in, while the
// person is at the page, or while they are signed in. Each time one registration
// takes its place, and nobody sees an error (OAUTH L8).
func TestPayU_forgetsTheClient_registersAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		forget func(m *merchant)
		ways   int // exchanges of the second sign-in
	}{
		"before the sign-in": {func(m *merchant) { m.sb.PurgeClients() }, 1},
		"at the page": {func(m *merchant) {
			m.faults.Add(sandbox.RoleAccounts, "/oauth/token", 1, fault.Before(m.sb.PurgeClients))
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, "A")
			m.must(m.login(), 0)
			c.forget(m)
			before := m.sb.Log().Len()
			m.must(m.login(), 0)
			if n := m.sb.Log().Count(sandbox.Query{Path: "/register"}); n != 2 {
				t.Errorf("%d registrations", n)
			}
			if n := m.sb.Log().Count(sandbox.Query{Grant: "authorization_code", After: before}); n != c.ways {
				t.Errorf("%d exchanges, want %d", n, c.ways)
			}
			m.must(m.payu("status"), 0)
			m.noLeaks(m.sb.Secrets())
		})
	}
	t.Run("while signed in", func(t *testing.T) {
		t.Parallel()
		m := newMerchant(t, "A")
		m.must(m.login(), 0)
		d := startDesktop(m.world, "day one")
		m.sb.ExpireAccessTokens()
		m.sb.PurgeClients()
		if text, isError := d.uses("list_available_team_accounts", map[string]any{}); isError || !strings.Contains(text, "180012") {
			t.Errorf("the call: %s", text)
		}
		if n := m.sb.Log().Count(sandbox.Query{Path: "/register"}); n != 2 {
			t.Errorf("%d registrations", n)
		}
		d.end()
		m.noLeaks(m.sb.Secrets())
	})
}
