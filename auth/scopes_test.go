package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// The user's list, the challenge's, the metadata's, none: the first that says
// something, as it is.
//
//oauth:row A20 auth/scopes.go "if len(asked) == 0 && prm != nil {" => "if prm != nil {"
//oauth:row A21 auth/scopes.go "asked := splitScopes(ch.scope)" => "var asked []string; _ = ch"
func TestSignIn_scopes_firstListThatSaysSomething(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		option    []string
		challenge string
		prm       []string
		want      string
	}{
		"none invented":   {want: ""},
		"metadata's list": {prm: []string{"read_invoices", "read_refunds"}, want: "read_invoices read_refunds"},
		// Neither part of the metadata's list nor in its order.
		"challenge": {challenge: "z_scope  read_refunds", prm: []string{"read_invoices"}, want: "z_scope read_refunds"},
		"user":      {option: []string{"read_refunds"}, challenge: "z_scope", prm: []string{"read_invoices"}, want: "read_refunds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{}, func(cfg *auth.Config) { cfg.Scopes = c.option })
			w.sb.SetMCP(sandbox.MCPKnobs{Scope: c.challenge})
			w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, Scopes: c.prm})
			w.mustSignIn()
			if asked := w.asked(); asked.Get("scope") != c.want || asked.Has("scope") != (c.want != "") {
				t.Errorf("asked for %q, want %q", asked["scope"], c.want)
			}
		})
	}
}

// offline_access is added where the authorization server lists it and scopes are
// sent anyway, never to the user's own list.
//
//oauth:row A40 auth/scopes.go "len(asked) > 0 && s.OfflineAccess" => "len(asked) > 0"
//oauth:row A40 auth/scopes.go "len(asked) > 0 && s.OfflineAccess" => "s.OfflineAccess"
func TestSignIn_offlineAccess_onlyWhereOffered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		option, offered, prm []string
		want                 string
	}{
		"offered":          {offered: []string{"x", "offline_access"}, prm: []string{"x"}, want: "x offline_access"},
		"named already":    {offered: []string{"offline_access"}, prm: []string{"offline_access", "x"}, want: "offline_access x"},
		"not offered":      {offered: []string{"x"}, prm: []string{"x"}, want: "x"},
		"no list":          {prm: []string{"x"}, want: "x"},
		"nothing asked":    {offered: []string{"offline_access"}, want: ""},
		"the user's scope": {option: []string{"x"}, offered: []string{"offline_access"}, want: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{}, func(cfg *auth.Config) { cfg.Scopes = c.option })
			w.sb.SetMetadata(sandbox.MetadataKnobs{Scopes: c.offered})
			w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, Scopes: c.prm})
			w.mustSignIn()
			if got := w.asked().Get("scope"); got != c.want {
				t.Errorf("asked for %q, want %q", got, c.want)
			}
		})
	}
}

// What is asked for again are the server's own strings: not shortened, not
// cleaned for a terminal.
//
//oauth:row A23 auth/token_request.go "splitScopes(*text)" => "splitScopes(clean(*text))"
func TestStepUp_longAndOddScopes_sentAgainAsTheyCame(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	granted := "https://Scopes.example/%7Eread?a=b " + strings.Repeat("a-scope-of-some-length ", 30) + "the_last"
	f.set(status(200, "application/json", fmt.Sprintf(`{"access_token":"an-access-token","token_type":"Bearer","refresh_token":"a-refresh-token","scope":%q}`, granted)))
	before := w.mustSignIn()
	_ = w.client.Rejected(t.Context(), before.AccessToken, []string{`Bearer error="insufficient_scope", scope="more"`})
	if _, err := w.client.SignIn(t.Context(), w.prompt()); err != nil {
		t.Fatal(err)
	}
	w.lastPage()
	want := "https://Scopes.example/%7Eread?a=b a-scope-of-some-length the_last more"
	if got := w.asked().Get("scope"); got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
}

// A 403 for want of scope: no refresh, a sign-in for what was asked for and given
// before and what is asked for now, and no second one for the same within five minutes.
//
//oauth:row A22 auth/client.go "return c.wantsScope(ch)" => "_ = ch"
//oauth:row A23 auth/stepup.go "union(cur.Asked, cur.Scopes, d.scopes)" => "union(d.scopes)"
//oauth:row A23 auth/stepup.go "union(cur.Asked, cur.Scopes, d.scopes)" => "union(cur.Scopes, d.scopes)"
//oauth:row A24 auth/stepup.go "s.scopes == sortedScopes(ch)" => "false"
//oauth:row X28 auth/stepup.go "s.scopes == sortedScopes(ch)" => "false"
func TestStepUp_scopeWanted_askedForOnceWithWhatWasBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, Scopes: []string{"read_transactions", "read_settlements"}})
	w.sb.Change(func(k *sandbox.Knobs) { k.Token.Scope = sandbox.ScopeNarrowed }) // read_transactions is all that is ever given
	before := w.mustSignIn()
	w.sb.SetMCP(sandbox.MCPKnobs{Scope: "read_refunds read_invoices"})
	if err := w.meet(w.client, before.AccessToken, http.StatusForbidden); !errors.Is(err, auth.ErrSignInNeeded) || w.refreshes() != 0 {
		t.Fatal(err, w.refreshes())
	}
	if w.token() != before.AccessToken {
		t.Error("the token is good for all else, and not used any more")
	}
	after, err := w.client.SignIn(t.Context(), w.prompt())
	if err != nil {
		t.Fatal(err)
	}
	w.lastPage()
	want := []string{"read_transactions", "read_settlements", "read_refunds", "read_invoices"}
	if got := strings.Fields(w.asked().Get("scope")); !slices.Equal(got, want) {
		t.Errorf("asked for %q", got)
	}
	w.sb.SetMCP(sandbox.MCPKnobs{Scope: "read_invoices read_refunds"}) // the same, in another order
	if err := w.meet(w.client, after.AccessToken, http.StatusForbidden); err != nil {
		t.Errorf("asked a person again at once: %v", err)
	}
	w.clock.advance(5 * time.Minute)
	if err := w.client.Rejected(t.Context(), after.AccessToken, []string{`Bearer error="insufficient_scope", scope="read_invoices read_refunds"`}); !errors.Is(err, auth.ErrSignInNeeded) {
		t.Errorf("five minutes later: %v", err)
	}
}

// A server that wants something else each time does not lead to a sign-in each
// time.
//
//oauth:row A24 auth/stepup.go "len(c.stepped) >= maxStepUps" => "false"
//oauth:row X28 auth/stepup.go "len(c.stepped) >= maxStepUps" => "false"
func TestStepUp_otherScopeEachTime_threeSignInsInFiveMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	cred := w.mustSignIn()
	signIns := 0
	wants := func(scope string) error {
		return w.client.Rejected(t.Context(), cred.AccessToken, []string{`Bearer error="insufficient_scope", scope="` + scope + `"`})
	}
	for n := range 10 {
		if wants(fmt.Sprintf("scope_%d", n)) == nil {
			continue
		}
		next, err := w.client.SignIn(t.Context(), w.prompt())
		if err != nil {
			t.Fatal(err)
		}
		w.lastPage()
		signIns, cred = signIns+1, next
	}
	if signIns != 3 {
		t.Errorf("%d sign-ins", signIns)
	}
	w.clock.advance(5 * time.Minute)
	if err := wants("scope_0"); !errors.Is(err, auth.ErrSignInNeeded) {
		t.Errorf("five minutes later: %v", err)
	}
}
