package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestAuthorize_unknownClient_formsAsNamed(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	for form, want := range map[sandbox.TurnAway]struct {
		status  int
		to, saw string
	}{
		sandbox.TurnAwayPage:          {http.StatusBadRequest, "", "Unknown application"},
		sandbox.TurnAwayUnauthorized:  {http.StatusUnauthorized, "", "Unknown application"},
		sandbox.TurnAwayUnprocessable: {http.StatusUnprocessableEntity, "", `{"message":"Unrecognized client_id"}`},
		sandbox.TurnAwayRedirect:      {http.StatusFound, redirect + "?error=invalid_client&state=the-state", ""},
		sandbox.TurnAwayElsewhere:     {http.StatusFound, sb.AccountsOrigin() + "/oauth/error?error=invalid_client", ""},
		sandbox.TurnAwayOK:            {http.StatusOK, "", "Unknown application"},
	} {
		sb.Change(func(k *sandbox.Knobs) { k.Client.Unknown = form })
		resp := a.do(http.MethodGet, a.authorizeURL(url.Values{"client_id": {"nobody"}}), "", "")
		if body := read(t, resp); resp.StatusCode != want.status || resp.Header.Get("Location") != want.to || !strings.Contains(body, want.saw) {
			t.Errorf("form %d: %s to %q %s", form, resp.Status, resp.Header.Get("Location"), body)
		}
	}
}

// Doorkeeper asks for the sign-in before it looks at the client.
func TestAuthorize_signInFirst_unknownClientShownAfterwards(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	sb.Change(func(k *sandbox.Knobs) { k.Login.SignInFirst = true })
	at := a.authorizeURL(url.Values{"client_id": {"nobody"}})
	if resp := a.do(http.MethodGet, at, "", ""); resp.StatusCode != http.StatusOK || !strings.Contains(read(t, resp), "passphrase") {
		t.Errorf("at first: %s", resp.Status)
	}
	p, err := sandbox.Visitor{Client: sb.HTTPClient()}.Visit(limit(t), at)
	if err != nil || p.Status != http.StatusBadRequest || !strings.Contains(p.Body, "Unknown application") {
		t.Errorf("afterwards: %d %s %v", p.Status, p.Body, err)
	}
	if _, status := a.authorize(url.Values{"client_id": {"nobody"}}); status != http.StatusBadRequest {
		t.Errorf("headless: %d", status)
	}
}

func TestAuthorize_errorKnob_redirectedBack(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	sb.Change(func(k *sandbox.Knobs) { k.Login.Error = "invalid_request" })
	if q, status := a.authorize(nil); status != http.StatusFound || q.Get("error") != "invalid_request" || q.Get("state") != "the-state" || q.Has("code") {
		t.Errorf("%d %v", status, q)
	}
}

// PAYU U3, E8.
func TestToken_demandSecret_publicClientRefused(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	sb.Change(func(k *sandbox.Knobs) { k.Client.DemandSecret = true })
	q, _ := a.authorize(nil)
	if got := a.exchange(q.Get("code")); got.status != http.StatusUnauthorized || got.Error != "invalid_client" {
		t.Errorf("public: %d %s", got.status, got.Error)
	}
	a.id, a.secret = "confidential", "a-secret-of-the-test"
	sb.AddClient(sandbox.Client{ID: a.id, Secret: "a-secret-of-the-test", RedirectURIs: []string{redirect}})
	if got := a.signIn(); got.Access == "" {
		t.Errorf("confidential: %d %s", got.status, got.Error)
	}
}

// A person who meets the sign-in page twice signs in twice.
func TestVisitor_sentOnToAnotherRequest_signsInAgain(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	var at string
	rounds := 0
	at = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rounds++; rounds == 1 {
			http.Redirect(w, r, a.authorizeURL(url.Values{"client_id": {"twice"}, "redirect_uri": {at + "/callback"}}), http.StatusSeeOther)
			return
		}
		_, _ = w.Write([]byte("<title>Done</title>" + r.URL.Query().Get("code")))
	}))
	sb.AddClient(sandbox.Client{ID: "twice", RedirectURIs: []string{at + "/callback"}})
	p, err := sandbox.Visitor{Client: sb.HTTPClient()}.Visit(limit(t), a.authorizeURL(url.Values{"client_id": {"twice"}, "redirect_uri": {at + "/callback"}}))
	if err != nil || rounds != 2 || !strings.Contains(p.Body, "Done") {
		t.Errorf("%d rounds, %s %v", rounds, p.Body, err)
	}
	if n := sb.Log().Count(sandbox.Query{Path: "/oauth/sign-in"}); n != 2 {
		t.Errorf("signed in %d times", n)
	}
}

// PAYU P13, the third way.
func TestMCP_notEnabledAtMCP_signedInAndForbidden(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	sb.Change(func(k *sandbox.Knobs) { k.Login.Headless, k.Login.NotEnabledAtMCP = "C", true })
	h := newHost(t, sb, "C")
	h.token = a.signIn().Access
	if resp := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); resp.StatusCode != http.StatusForbidden {
		t.Error(resp.Status)
	}
	h = newHost(t, sb, "A")
	if resp := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); resp.StatusCode != http.StatusOK {
		t.Error("another account:", resp.Status)
	}
}
