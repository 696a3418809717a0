package remote

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// The one place that puts the token on a request puts it on no other one, should
// a later change ever send requests elsewhere.
//
//oauth:row X16 remote/authorizer.go "if !sameResource(r.URL, c.endpoint) || r.Host != \"\" && r.Host != c.endpoint.Host {" => "if false {"
//oauth:row A36 remote/authorizer.go "u.EscapedPath() == bound.EscapedPath() && u.User == nil" => "true"
func TestBear_requestToElsewhere_bearsNoToken(t *testing.T) {
	t.Parallel()
	bound, err := url.Parse("https://mcp.example:8443/a/mcp")
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{endpoint: bound}
	for _, to := range []struct {
		url, host string
		want      bool
	}{
		{"https://mcp.example:8443/a/mcp", "", true},
		{"https://mcp.example:8443/a/mcp", "mcp.example:8443", true},
		{"HTTPS://MCP.example:8443/a/mcp", "", true},
		{"http://mcp.example:8443/a/mcp", "", false},
		{"https://mcp.example/a/mcp", "", false},
		{"https://mcp.example:443/a/mcp", "", false},
		{"https://mcp.example:8443/a", "", false},
		{"https://mcp.example:8443/a/mcp/", "", false},
		{"https://mcp.example:8443/a/mcp/x", "", false},
		{"https://mcp.example:8443/a%2fmcp", "", false},
		{"https://mcp.example:8443/", "", false},
		{"https://evil.example:8443/a/mcp", "", false},
		{"https://mcp.example.evil.example:8443/a/mcp", "", false},
		{"https://mcp.example:8443@evil.example/a/mcp", "", false},
		{"https://u@mcp.example:8443/a/mcp", "", false},
		{"https://mcp.example:8443/a/mcp", "evil.example", false},
		{"https://[::ffff:127.0.0.1]:8443/a/mcp", "", false},
	} {
		u, err := url.Parse(to.url)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{URL: u, Host: to.host, Header: http.Header{}}
		err = c.bear(r, redact.Secret("tok"))
		if got := r.Header.Get("Authorization") != ""; got != to.want || (err == nil) != to.want {
			t.Errorf("%s, Host %q: bears it: %v, %v", to.url, to.host, got, err)
		}
	}
}
