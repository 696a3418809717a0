package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// wantResource checks what the newest authorization, exchange and refresh said,
// and what the credential says; "" means no such parameter.
func (w *world) wantResource(cred *auth.Credential, want string) {
	w.t.Helper()
	w.clock.advance(3 * time.Hour)
	w.token()
	if cred.Resource != want {
		w.t.Errorf("the credential's resource is %q", cred.Resource)
	}
	for name, q := range map[string]sandbox.Query{
		"authorization": {Path: "/oauth/authorize"}, "exchange": {Grant: "authorization_code"}, "refresh": {Grant: "refresh_token"},
	} {
		found := w.sb.Log().Find(q)
		if len(found) == 0 {
			w.t.Fatalf("no %s", name)
		}
		if form := found[len(found)-1].Form; form.Get("resource") != want || form.Has("resource") != (want != "") {
			w.t.Errorf("%s with resource %q, want %q", name, form["resource"], want)
		}
	}
}

// The exact string of the metadata, in every request; the user's goes first, and
// "none" sends none.
//
//oauth:row A19 auth/resource_indicator.go "return prm.Resource" => "return c.cfg.Resource"
//oauth:row A19 auth/attempt.go "if a.Resource != \"\" {" => "if false {"
//oauth:row A19 auth/authorize.go "}, a.Resource))" => "}, \"\"))"
//oauth:row A19 auth/refresh.go "}, cur.Resource))" => "}, \"\"))"
func TestSignIn_resource_sentToTheLetter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		own  string
		form sandbox.ResourceForm
		want func(sb *sandbox.Sandbox) string
	}{
		"metadata":         {form: sandbox.ResourceEndpoint, want: (*sandbox.Sandbox).Endpoint},
		"metadata, slash":  {form: sandbox.ResourceSlash, want: func(sb *sandbox.Sandbox) string { return sb.Endpoint() + "/" }},
		"metadata, origin": {form: sandbox.ResourceOrigin, want: (*sandbox.Sandbox).ResourceOrigin},
		"none":             {own: "none", want: func(*sandbox.Sandbox) string { return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{}, func(cfg *auth.Config) { cfg.ResourceIndicator = c.own })
			w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, Resource: c.form})
			w.wantResource(w.mustSignIn(), c.want(w.sb))
		})
	}
	t.Run("the user's", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, sandbox.Options{})
		own := w.sb.Endpoint() + "/"
		w.client = w.newClient(func(cfg *auth.Config) { cfg.ResourceIndicator = own })
		w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true})
		w.wantResource(w.mustSignIn(), own)
	})
}

// A server that dislikes the resource at authorization: the option is named.
//
//oauth:row A19 auth/authorize.go "case \"invalid_target\":" => "case \"no_such_code\":"
func TestSignIn_resourceRefused_optionNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{}, func(cfg *auth.Config) { cfg.ResourceIndicator = "api://elsewhere" })
	_, err := w.signIn()
	if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "invalid_target") || !strings.Contains(hint.Of(err), "--resource") {
		t.Errorf("err = %v, hint = %q", err, hint.Of(err))
	}
	if page := w.lastPage(); !strings.Contains(page.Body, "--resource") {
		t.Errorf("page = %s", page.Body)
	}
}

// And at a refresh: once more without it, and never with it again (OAUTH Q4).
//
//oauth:row A19 auth/refresh.go "if refusesResource(err) && cur.Resource != \"\" {" => "if false {"
func TestToken_resourceRefusedAtRefresh_sentWithout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.mustSignIn()
	w.sb.Change(func(k *sandbox.Knobs) { k.Token.RefuseResource = true })
	for n := range 2 {
		w.clock.advance(3 * time.Hour)
		w.token()
		w.wantCount("refreshes that worked", sandbox.Query{Grant: "refresh_token", Status: 200}, n+1)
	}
	w.wantCount("refused refreshes", sandbox.Query{Grant: "refresh_token", Status: 400}, 1)
	if cur := w.store.current(); cur.Resource != "" || w.sb.Log().RefreshCollisions() != 1 {
		t.Errorf("resource = %q", cur.Resource)
	}
}

// A server that refuses it either way keeps the login, and its word for it.
func TestToken_resourceRefusedEitherWay_loginKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	w.sb.Change(func(k *sandbox.Knobs) { k.Token.RefuseResource, k.Token.RequireResource = true, true })
	w.clock.advance(3 * time.Hour)
	if _, err := w.client.Token(t.Context()); !errors.Is(err, auth.ErrServer) || !strings.Contains(hint.Of(err), "--resource") {
		t.Errorf("Token = %v, hint = %q", err, hint.Of(err))
	}
	w.wantCount("refreshes", sandbox.Query{Grant: "refresh_token"}, 2)
	if cur := w.store.current(); cur.RefreshToken != old.RefreshToken || cur.Resource != old.Resource {
		t.Error("the login was changed")
	}
}

// The page at the end names the endpoint, whatever is sent as resource.
func TestSignIn_noIndicator_pageNamesTheEndpoint(t *testing.T) {
	t.Parallel()
	for _, indicator := range []string{"none", "urn:example:other"} {
		w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.ResourceIndicator = indicator })
		w.person.Deny = true
		_, _ = w.signIn()
		if page := w.lastPage(); !strings.Contains(page.Body, w.target) || strings.Contains(page.Body, "urn:") {
			t.Errorf("%s: %s", indicator, page.Body)
		}
	}
}
