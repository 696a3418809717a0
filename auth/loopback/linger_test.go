package loopback_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

// Who comes back to a tab after the time is told so, and nothing is accepted.
//
//oauth:row X27 auth/loopback/handler.go "case late != nil:" => "case false:"
func TestLinger_everyAddress_tooLate(t *testing.T) {
	t.Parallel()
	ln := start(t, true)
	own := browser(t)
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	get(t, own, ln.StartURL())
	ln.Linger(time.Minute)
	for _, u := range []string{ln.StartURL(), ln.RedirectURI() + "?code=c&state=" + goodState, strings.Replace(ln.RedirectURI(), "callback", "done", 1)} {
		r := get(t, own, u)
		if r.code != http.StatusGone || !strings.Contains(r.body, "<h1>Too late</h1>") || !strings.Contains(r.body, "<title>Too late") {
			t.Errorf("%s = %d %s", u, r.code, r.body)
		}
		checkHeaders(t, r.header)
	}
	select {
	case <-ln.Callback():
		t.Error("a callback was accepted")
	default:
	}
}

func TestLinger_limitOver_portIsFree(t *testing.T) {
	t.Parallel()
	ln := start(t, true)
	ln.Linger(time.Millisecond)
	deadline := time.Now().Add(10 * time.Second)
	for {
		again, err := loopback.Listen(t.Context(), ln.Port())
		if err == nil {
			_ = again.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// Another process of this program gets the port, and only what lingers gives it
// up.
func TestVacate_lingering_freesPort(t *testing.T) {
	t.Parallel()
	ln := start(t, true)
	if loopback.Vacate(t.Context(), ln.RedirectURI()) {
		t.Error("an open sign-in was given up")
	}
	if r := get(t, browser(t), ln.RedirectURI()); r.code != http.StatusBadRequest {
		t.Errorf("the open sign-in answers %d", r.code)
	}
	ln.Linger(time.Minute)
	if !loopback.Vacate(t.Context(), ln.RedirectURI()) {
		t.Error("it was not given up")
	}
	again, err := loopback.Listen(t.Context(), ln.Port())
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

// A flow at localhost gives both addresses up.
func TestVacate_lingeringAtLocalhost_freesPort(t *testing.T) {
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
	ln.Linger(time.Minute)
	if !loopback.Vacate(t.Context(), ln.RedirectURI()) {
		t.Fatal("it was not given up")
	}
	again, err := loopback.Listen(t.Context(), ln.Port())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.UseLocalhost(t.Context()); err != nil {
		t.Error(err)
	}
}

// Somebody else's port is left alone, also one that says nothing.
func TestVacate_anotherProgram_false(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	silent, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	addr, ok := silent.Addr().(*net.TCPAddr)
	if !ok || loopback.Vacate(t.Context(), loopback.RedirectURI(addr.Port)) {
		t.Error("a silent program gave up its port")
	}
}
