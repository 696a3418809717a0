package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// documents is a network of JSON documents by URL; it keeps what was asked.
type documents struct {
	at map[string]any

	mu    sync.Mutex
	asked []string
}

// RoundTrip implements http.RoundTripper.
func (d *documents) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r.Method+" "+r.URL.String())
	res := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody, Request: r}
	if doc, ok := d.at[r.URL.String()]; ok {
		b, err := json.Marshal(doc)
		if err != nil {
			return nil, err
		}
		res.StatusCode, res.Body = http.StatusOK, io.NopCloser(strings.NewReader(string(b)))
	}
	return res, nil
}

func (d *documents) has(prefix string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.asked {
		if _, url, _ := strings.Cut(a, " "); strings.HasPrefix(url, prefix) {
			return true
		}
	}
	return false
}

// organisation is an endpoint with an authorization server at another host.
func organisation(endpoint, server string, change map[string]string) (d *documents, challenges []string) {
	origin := strings.TrimSuffix(endpoint, "/mcp")
	urls := map[string]string{
		"resource_metadata": origin + "/.well-known/oauth-protected-resource/mcp", "issuer": server,
		"authorization_endpoint": server + "/authorize", "token_endpoint": server + "/token",
		"registration_endpoint": server + "/register", "revocation_endpoint": server + "/revoke",
	}
	maps.Copy(urls, change)
	meta := map[string]any{"code_challenge_methods_supported": []string{"S256"}, "response_types_supported": []string{"code"}}
	for name, url := range urls {
		if name != "resource_metadata" {
			meta[name] = url
		}
	}
	return &documents{at: map[string]any{
		urls["resource_metadata"]:                                  map[string]any{"resource": endpoint, "authorization_servers": []string{urls["issuer"]}},
		urls["issuer"] + "/.well-known/oauth-authorization-server": meta,
		urls["registration_endpoint"]:                              map[string]any{"client_id": "c1"},
	}}, []string{`Bearer resource_metadata="` + urls["resource_metadata"] + `"`}
}

// signInAt goes as far as the browser.
func signInAt(t *testing.T, endpoint string, d *documents, challenges []string) (opened bool, err error) {
	t.Helper()
	c, err := auth.New(auth.Config{Resource: endpoint, HTTP: &http.Client{Transport: d}, Store: newMemory()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_ = c.Rejected(ctx, "", challenges)
	_, err = c.SignIn(ctx, auth.Prompt{Anew: true, Open: func(context.Context, string) error {
		opened = true
		cancel()
		return nil
	}})
	return opened, err
}

// Each address that has part in a sign-in is https, but on this computer for an
// endpoint on this computer. One that is not ends it before a browser opens, and
// nobody is asked there.
//
//oauth:row X4 auth/url.go "case u.Scheme == \"http\" && (!loopbackHTTP || !nettransport.IsLoopback(u.Hostname())):" => "case false:"
//oauth:row A31 auth/url.go "case u.Scheme == \"http\" && (!loopbackHTTP || !nettransport.IsLoopback(u.Hostname())):" => "case false:"
//oauth:row A31 auth/server_meta.go "{\"registration\", s.RegistrationEndpoint}," => ""
//oauth:row A31 auth/server_meta.go "{\"revocation\", s.RevocationEndpoint}," => ""
func TestSignIn_plainHTTP_refusedForEachAddress(t *testing.T) {
	t.Parallel()
	const public, local, server = "https://mcp.example/mcp", "http://127.0.0.1:7/mcp", "https://as.example"
	for name, url := range map[string]string{
		"resource_metadata": "/.well-known/oauth-protected-resource/mcp", "issuer": "", "authorization_endpoint": "/authorize", "token_endpoint": "/token",
		"registration_endpoint": "/register", "revocation_endpoint": "/revoke", "device_authorization_endpoint": "/device",
	} {
		for _, c := range []struct {
			endpoint, at string
			allowed      bool
		}{
			{public, "https://as.example", true},
			{public, "http://as.example", false},
			{public, "HTTP://as.example", false},
			{public, "http://mcp.example", false},
			{public, "http://127.0.0.1:7", false},
			{public, "http://localhost:7", false},
			{public, "http://[::1]:7", false},
			{local, "https://as.example", true},
			{local, "http://127.0.0.1:8", true},
			{local, "http://localhost:8", true},
			{local, "http://[::1]:8", true},
			{local, "http://as.example", false},
			{local, "http://10.0.0.1", false},
			{local, "http://127.0.0.1.nip.example", false},
		} {
			d, challenges := organisation(c.endpoint, server, map[string]string{name: c.at + url})
			opened, err := signInAt(t, c.endpoint, d, challenges)
			if opened != c.allowed {
				t.Errorf("%s at %s for %s: opened %v, %v", name, c.at, c.endpoint, opened, err)
			}
			if !c.allowed && (!errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "not safe: plain http to") || hint.Of(err) == "" || d.has("http://") && c.endpoint == public) {
				t.Errorf("%s at %s for %s: %v; asked %q", name, c.at, c.endpoint, err, d.asked)
			}
		}
	}
}

// A stored login's addresses are judged again when they are used: the file may
// have been made when the rules were others, or by somebody else.
//
//oauth:row A31 auth/fetch.go "if _, err := c.checkServerURL(req.URL.String()); err != nil {" => "if err := error(nil); err != nil {"
//oauth:row A33 auth/fetch.go "if _, err := c.checkServerURL(req.URL.String()); err != nil {" => "if err := error(nil); err != nil {"
func TestLogout_storedAddressesNotSafe_nobodyIsAsked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"http://as.example/revoke", "https://10.0.0.1/revoke", "https://169.254.169.254/", "https://[::1]/", "http://mcp.example/revoke"} {
		d, store := &documents{}, newMemory()
		store.cred = &auth.Credential{
			Resource: "https://mcp.example/mcp", AccessToken: "access", RefreshToken: "refresh",
			Server: auth.Server{Issuer: "https://as.example", TokenEndpoint: bad, RevocationEndpoint: bad},
		}
		c, err := auth.New(auth.Config{Resource: "https://mcp.example/mcp", HTTP: &http.Client{Transport: d}, Store: store})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Rejected(t.Context(), "access", nil); err != nil {
			t.Errorf("%s: %v", bad, err) // a fault, not a reason to ask a person
		}
		if _, err := c.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "not safe") {
			t.Errorf("%s: Token: %v", bad, err)
		}
		done, err := c.Logout(t.Context())
		if err != nil || len(done) != 2 || done[0].Err == nil || done[1].Err == nil {
			t.Errorf("%s: Logout: %v, %v", bad, done, err)
		}
		if len(d.asked) > 0 {
			t.Errorf("asked: %q", d.asked)
		}
	}
}
