package loopback_test

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

// The start page of a flow at localhost is served at every address that the name
// stands for, to that name only.
//
//oauth:row X11 auth/loopback/listener.go "go func() { _ = l.srv.Serve(l.ln6) }()" => "_ = l.ln6"
//oauth:row X11 auth/loopback/listener.go "net.JoinHostPort(l.name, " => "net.JoinHostPort(literal, "
func TestUseLocalhost_bothAddresses_serveTheNameOnly(t *testing.T) {
	t.Parallel()
	ln, err := loopback.Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	if err := ln.UseLocalhost(t.Context()); err != nil {
		t.Fatal(err)
	}
	ln.Serve(loopback.Flow{AuthorizationURL: "https://as.example/", Accept: accept, Bound: true})
	port := strconv.Itoa(ln.Port())
	if want := "http://localhost:" + port; !strings.HasPrefix(ln.StartURL(), want+"/start/") || ln.RedirectURI() != want+"/callback" {
		t.Errorf("start %s, redirect URI %s", ln.StartURL(), ln.RedirectURI())
	}
	addresses := []string{"127.0.0.1:" + port}
	if hasIPv6(t) {
		addresses = append(addresses, "[::1]:"+port)
	}
	for _, address := range addresses {
		for host, want := range map[string]int{"localhost:" + port: http.StatusNotFound, "127.0.0.1:" + port: http.StatusForbidden, "[::1]:" + port: http.StatusForbidden} {
			if got := at(t, address, "http://"+host+"/nothing"); got != want {
				t.Errorf("%s as %s: %d, want %d", address, host, got, want)
			}
		}
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	for _, address := range addresses {
		var lc net.ListenConfig
		free, err := lc.Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Errorf("%s is not free again: %v", address, err)
			continue
		}
		_ = free.Close()
	}
}

func hasIPv6(t *testing.T) bool {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp6", "[::1]:0")
	return err == nil && ln.Close() == nil
}

// at asks for url at an address, whatever its host stands for.
func at(t *testing.T, address, url string) int {
	t.Helper()
	c := browser(t)
	c.Timeout = 10 * time.Second
	c.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}
