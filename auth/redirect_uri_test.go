package auth_test

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// picky is a world whose server registers no redirect URI that rule bans.
func picky(t *testing.T, rule sandbox.RedirectRule, change ...func(*auth.Config)) *world {
	t.Helper()
	w := newWorld(t, sandbox.Options{}, append([]func(*auth.Config){soon}, change...)...)
	w.sb.Change(func(k *sandbox.Knobs) { k.Client.Redirect, k.Client.RefuseRedirects = rule, true })
	return w
}

// A server that refuses the IP literal gets the name, once; ten sign-ins make one
// registration there too.
//
//oauth:row A14 auth/signin.go "if errors.Is(err, errRedirectRefused) {" => "if false && errors.Is(err, errRedirectRefused) {"
//oauth:row A12 auth/signin.go "if ln, err := listenFor(ctx, known.RedirectURI); err == nil {" => "if ln, err := loopback.Listen(ctx, registeredPort(known)); err == nil {"
func TestSignIn_literalRefused_nameRegisteredOnce(t *testing.T) {
	t.Parallel()
	w := picky(t, sandbox.RedirectRefusesIP)
	var first string
	for range 10 {
		cred := w.mustSignIn()
		if first == "" {
			first = cred.Registration.RedirectURI
		}
		if uri := cred.Registration.RedirectURI; uri != first || !strings.HasPrefix(uri, "http://localhost:") || w.asked().Get("redirect_uri") != uri {
			t.Errorf("redirect URI %s, asked with %s", uri, w.asked().Get("redirect_uri"))
		}
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register", Status: http.StatusCreated}, 1)
	w.wantCount("refused registrations", sandbox.Query{Path: "/register", Status: http.StatusBadRequest}, 1)
	w.wantCount("exchanges", sandbox.Query{Grant: "authorization_code", Status: 200}, 10)
}

// The name is not used while another program may be meant by it.
//
//oauth:row X11 auth/loopback/localhost.go "case hasIPv6(ctx):" => "case false:"
func TestSignIn_literalRefusedAndPortOfNameTaken_fails(t *testing.T) {
	t.Parallel()
	port := occupy(t, 0)
	w := picky(t, sandbox.RedirectRefusesIP, func(c *auth.Config) { c.CallbackPort = port })
	_, err := w.signIn()
	for _, want := range []string{"http://127.0.0.1:" + strconv.Itoa(port) + "/callback", "localhost"} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(hint.Of(err), "--callback-port") || !strings.Contains(hint.Of(err), "--client-id") {
			t.Errorf("err = %v, hint = %q", err, hint.Of(err))
		}
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 1)
	if got := freeAgain(t, port); got != nil {
		t.Errorf("the port is not free again: %v", got)
	}
}

func freeAgain(t *testing.T, port int) error {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	return ln.Close()
}

// The message names what was refused, and both ways out (PAYU U4).
//
//oauth:row A14 auth/redirect_uri.go "errors.Is(err, errRedirectRefused) {" => "err != nil {\n\t\terr = errRedirectRefused"
func TestSignIn_redirectRefused_saysWhichAndOptions(t *testing.T) {
	t.Parallel()
	w := picky(t, sandbox.RedirectRefusesLoopback)
	_, err := w.signIn()
	for _, want := range []string{"http://127.0.0.1:", "http://localhost:", "invalid_redirect_uri"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("err = %v, want %q in it", err, want)
		}
	}
	if h := hint.Of(err); !strings.Contains(h, "--callback-port") || !strings.Contains(h, "--client-id") {
		t.Errorf("hint = %q", h)
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 2)
}

// The user's port goes with the name too, and makes one registration.
func TestSignIn_literalRefusedWithFixedPort_nameOnThatPort(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	w := picky(t, sandbox.RedirectRefusesIP, func(c *auth.Config) { c.CallbackPort = port })
	for range 2 {
		if uri := w.mustSignIn().Registration.RedirectURI; uri != "http://localhost:"+strconv.Itoa(port)+"/callback" {
			t.Errorf("redirect URI %s", uri)
		}
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register", Status: http.StatusCreated}, 1)
}

// The next process goes on with such a sign-in: same name, same port, same tab.
//
//oauth:row X11 auth/open.go "ln, err := listenFor(ctx, a.RedirectURI)" => "ln, err := loopback.Listen(ctx, a.port())"
func TestAwait_literalRefusedAndOwnerGone_openTabCompletes(t *testing.T) {
	t.Parallel()
	w := picky(t, sandbox.RedirectRefusesIP)
	o := w.open("", false)
	if !strings.HasPrefix(o.url, "http://localhost:") {
		t.Errorf("start page %s", o.url)
	}
	b := w.newTab(o.url)
	uri := w.store.current().Attempt.RedirectURI
	done := w.await(w.newClient())
	o.gone()
	w.bound(uri)
	if page := b.goOn(); !strings.Contains(page.Body, "You are signed in") {
		t.Fatalf("page = %s", page.Body)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
