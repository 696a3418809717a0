package sandbox_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestStart_everyTransport_servesBothRoles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o      sandbox.Options
		scheme string
		major  int
	}{
		"plain":     {sandbox.Options{}, "http://", 1},
		"tls":       {sandbox.Options{TLS: true}, "https://", 1},
		"h2":        {sandbox.Options{TLS: true, HTTP2: true}, "https://", 2},
		"h2c":       {sandbox.Options{HTTP2: true}, "http://", 2},
		"one port":  {sandbox.Options{OnePort: true}, "http://", 1},
		"one, tls":  {sandbox.Options{OnePort: true, TLS: true}, "https://", 1},
		"payu name": {sandbox.Options{TLS: true, PayUNames: true}, "https://", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := start(t, c.o)
			a := newApp(t, sb)
			got := a.signIn()
			h := &host{t: t, sb: sb, http: a.http, token: got.Access}
			resp := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
			if resp.StatusCode != http.StatusOK || resp.ProtoMajor != c.major {
				t.Errorf("%s with HTTP/%d", resp.Status, resp.ProtoMajor)
			}
			if !strings.HasPrefix(sb.Endpoint(), c.scheme+"127.0.0.1:") || (sb.AccountsOrigin() == sb.ResourceOrigin()) != c.o.OnePort {
				t.Errorf("endpoint %s, accounts %s", sb.Endpoint(), sb.AccountsOrigin())
			}
			if (sb.CAPEM() != nil) != c.o.TLS {
				t.Error("CA and TLS do not go together")
			}
		})
	}
}

func TestStart_payuNamesWithoutTLS_refused(t *testing.T) {
	t.Parallel()
	if sb, err := sandbox.Start(t.Context(), sandbox.Options{PayUNames: true}); err == nil {
		t.Error("started", sb.Close())
	}
}

func TestClose_twiceWithHeldRequestAndStream_endsAll(t *testing.T) {
	t.Parallel()
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Get: sandbox.GetStream}}})
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, sb, "A")
	stream := h.send(http.MethodGet, "")
	sb.Hold(sandbox.Path(sandbox.RoleAccounts, "/oauth/token"))
	held := make(chan error, 1)
	go func() {
		resp, err := sb.HTTPClient().Post(sb.AccountsOrigin()+"/oauth/token", "text/plain", nil)
		if err == nil {
			resp.Body.Close()
		}
		held <- err
	}()
	if _, err := sb.Log().WaitFor(limit(t), func(e sandbox.Entry) bool { return e.Path == "/oauth/token" }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-held; err == nil {
		t.Error("the held request was answered")
	}
	if _, err := stream.Body.Read(make([]byte, 64)); err == nil {
		_, err = stream.Body.Read(make([]byte, 64)) // after the opening comment
		if err == nil {
			t.Error("the stream is open")
		}
	}
}

func TestHold_released_served(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	release := sb.Hold(func(e sandbox.Entry) bool { return e.RPC == "ping" })
	answered := make(chan answer, 1)
	go func() { answered <- h.ask("ping", "{}") }()
	e, err := sb.Log().WaitFor(limit(t), func(e sandbox.Entry) bool { return e.RPC == "ping" })
	if err != nil || e.Status != 0 {
		t.Fatal(e, err)
	}
	if other := newHost(t, sb, "A").call("health_check", "{}"); other.Error != nil {
		t.Error("another call was held")
	}
	release()
	release()
	if a := <-answered; a.Error != nil {
		t.Error(a.Error)
	}
}

func TestDelay_route_waits(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	undo := sb.Delay(sandbox.Path(sandbox.RoleResource, "/mcp"), time.Hour)
	ctx, cancel := context.WithCancel(limit(t))
	go func() {
		_, _ = sb.Log().WaitFor(ctx, func(e sandbox.Entry) bool { return e.Path == "/mcp" })
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, sb.Endpoint(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := h.http.Do(req); err == nil {
		resp.Body.Close()
		t.Error("answered")
	}
	if _, status := document(t, sb, sb.ResourceOrigin()+wellKnown); status != http.StatusOK {
		t.Error("another route:", status)
	}
	undo()
	h.ask("ping", "{}")
}

func TestProxy_payuNames_leadToSandbox(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{TLS: true, PayUNames: true})
	proxy, _ := url.Parse(sb.ProxyURL())
	tr := sb.HTTPClient().Transport.(*http.Transport).Clone()
	tr.Proxy = http.ProxyURL(proxy)
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr}
	get := func(to string) (int, error) {
		req, _ := http.NewRequestWithContext(limit(t), http.MethodGet, to, http.NoBody)
		resp, err := c.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return resp.StatusCode, nil
	}
	for to, want := range map[string]int{
		"https://api.payu.in/.well-known/oauth-authorization-server": http.StatusOK,
		"https://accounts.payu.in/oauth/authorize":                   http.StatusBadRequest,
		"http://api.payu.in/mcp":                                     http.StatusForbidden,
	} {
		if got, err := get(to); err != nil || got != want {
			t.Errorf("%s: %d %v, want %d", to, got, err, want)
		}
	}
	if _, err := get("https://example.com/"); err == nil {
		t.Error("the proxy leads elsewhere")
	}
	if n := sb.Log().Count(sandbox.Query{Role: sandbox.RoleProxy, Host: "example.com:443", Status: http.StatusForbidden}); n != 1 {
		t.Errorf("the refused name is %d times in the log", n)
	}
	if n := sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts, Host: "accounts.payu.in"}); n != 1 {
		t.Errorf("accounts.payu.in was asked %d times", n)
	}
}

func TestForeign_requestWithSecret_seen(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	post := func(body string) {
		resp, err := h.http.Post(sb.ForeignURL()+"/x", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	post("harmless")
	if sb.Log().LeakedAbroad() || sb.Log().Count(sandbox.Query{Role: sandbox.RoleForeign}) != 1 {
		t.Error("a harmless request counts as a leak, or is not recorded")
	}
	post("x" + h.token)
	if !sb.Log().LeakedAbroad() {
		t.Error("the token went unseen")
	}
}
