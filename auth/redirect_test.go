package auth_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// bystander is a server that a redirect leads to; it must see nothing.
func bystander(t *testing.T) (origin string, seen *atomic.Int32) {
	t.Helper()
	seen = &atomic.Int32{}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	t.Cleanup(srv.Close)
	return srv.URL, seen
}

// steps are the requests of a login's life, by the path that answers them. do
// makes the request; ready is what has to be there before.
func (w *world) steps() map[string]struct {
	path  string
	ready func()
	do    func() error
} {
	signIn := func() error { _, err := w.signInWith(w.prompt()); return err }
	nothing := func() {}
	signedIn := func() { w.mustSignIn() }
	return map[string]struct {
		path  string
		ready func()
		do    func() error
	}{
		"resource metadata": {"/.well-known/oauth-protected-resource/mcp", nothing, signIn},
		"metadata":          {"/.well-known/oauth-authorization-server", nothing, signIn},
		"registration":      {"/register", nothing, signIn},
		"token":             {"/oauth/token", nothing, signIn},
		"refresh": {"/oauth/token", signedIn, func() error {
			w.clock.advance(3 * time.Hour)
			_, err := w.client.Token(w.t.Context())
			return err
		}},
		"revocation": {"/oauth/revoke", signedIn, func() error {
			done, err := w.client.Logout(w.t.Context())
			for _, r := range done {
				err = r.Err
			}
			return err
		}},
	}
}

// A redirect is an answer like any other that is not the right one: whoever it
// leads to sees neither the code, nor a token, nor the client's secret, nor that
// anybody asks.
//
//oauth:row X15 auth/client.go "hc.CheckRedirect = nettransport.RefuseRedirects" => "_ = nettransport.RefuseRedirects"
func TestRedirect_everyRequestAndTarget_notFollowed(t *testing.T) {
	t.Parallel()
	other, seen := bystander(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(other, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, encrypted := range []bool{false, true} { // with TLS, the targets are downgrades too
		for name := range (&world{}).steps() {
			t.Run(fmt.Sprintf("%s, TLS %v", name, encrypted), func(t *testing.T) {
				t.Parallel()
				in := &fault.Injector{}
				w := newWorld(t, sandbox.Options{TLS: encrypted, Wrap: in.Wrap})
				for _, code := range []int{301, 302, 303, 307, 308} {
					for _, target := range []string{"http://127.0.0.1:" + port + "/x", "http://localhost:" + port + "/x", "/elsewhere", w.sb.ResourceOrigin() + "/elsewhere"} {
						w.client, w.store = nil, newMemory()
						w.client = w.newClient()
						step := w.steps()[name]
						step.ready()
						in.AddIf(func(r fault.Request) bool { return r.Path == step.path }, -1, fault.RedirectTo(code, target))
						if err := step.do(); err == nil && name != "resource metadata" { // where none is told, there is none
							t.Errorf("%d to %s: content", code, target)
						}
						in.Clear()
						for len(w.pages) > 0 {
							<-w.pages
						}
					}
				}
				w.wantCount("requests that followed", sandbox.Query{Path: "/elsewhere"}, 0)
			})
		}
	}
	t.Cleanup(func() { // after the parallel ones
		if n := seen.Load(); n != 0 {
			t.Errorf("the target saw %d requests", n)
		}
	})
}
