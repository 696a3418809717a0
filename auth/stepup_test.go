package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// A 403 for want of scope: no refresh, a sign-in for what was given and what is
// asked, and no second one for the same within five minutes (OAUTH A22 to A24).
func TestStepUp_scopeWanted_askedForOnceWithWhatWasGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, Scopes: []string{"read_transactions"}})
	before := w.mustSignIn()
	wants := []string{`Bearer error="insufficient_scope", scope="read_refunds"`}
	if err := w.client.Rejected(t.Context(), before.AccessToken, wants); !errors.Is(err, auth.ErrSignInNeeded) || w.refreshes() != 0 {
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
	asked := w.sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"})
	scope := strings.Fields(asked[len(asked)-1].Form.Get("scope"))
	if !slices.Equal(scope, []string{"read_transactions", "read_refunds"}) {
		t.Errorf("asked for %q", scope)
	}
	if err := w.client.Rejected(t.Context(), after.AccessToken, wants); err != nil {
		t.Errorf("asked a person again at once: %v", err)
	}
	w.clock.advance(5 * time.Minute)
	if err := w.client.Rejected(t.Context(), after.AccessToken, wants); !errors.Is(err, auth.ErrSignInNeeded) {
		t.Errorf("five minutes later: %v", err)
	}
}
