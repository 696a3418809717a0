package e2e

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// The whole life of a login at a foreign, strict authorization server: sign in
// with a browser, list, call, refresh after expiry, ask for more scope, log out,
// and what was issued is worth nothing afterwards.
func TestOIDC_wholeLife_endsWithDeadTokens(t *testing.T) {
	t.Parallel()
	w, s := newOIDCWorld(t)
	w.chromium("oidc", map[string]any{"user": "merchant"})
	w.must(w.payu("login", "--url", s.Endpoint), 0)
	pages := w.visited("oidc")
	if last := pages[len(pages)-1]; !strings.HasPrefix(last.Origin, "http://127.0.0.1:") || last.Path != "/done" {
		t.Errorf("the browser ended at %s%s, want the page that says it worked", last.Origin, last.Path)
	}
	w.actor("walk")
	w.lives(s, "authorization_code")
	s.wantRegistrations(t, 1)
}

// The same, signed in by a code that is allowed on another device (RFC 8628).
func TestOIDC_byCode_endsWithDeadTokens(t *testing.T) {
	t.Parallel()
	w, s := newOIDCWorld(t)
	w.must(w.loginByCode("--url", s.Endpoint), 0)
	w.actor("walk")
	w.lives(s, "urn:ietf:params:oauth:grant-type:device_code")
	s.wantRegistrations(t, 1)
}

// The same with a client id metadata document, which the provider fetches: nobody
// registers (OAUTH A9, A10).
func TestOIDC_byMetadataDocument_endsWithDeadTokens(t *testing.T) {
	t.Parallel()
	w, s := newOIDCWorld(t)
	w.actor("walk")
	w.must(w.payu("login", "--url", s.Endpoint, "--client-metadata-url", s.ClientDocument), 0)
	w.lives(s, "authorization_code")
	s.wantRegistrations(t, 0)
	for _, e := range s.granted("refresh_token") {
		if e.Client != s.ClientDocument {
			t.Errorf("refreshed by client %q", e.Client)
		}
	}
}

func newOIDCWorld(t *testing.T) (*world, *stack) {
	t.Helper()
	w := newWorld(t)
	w.startBus()
	w.startKeyring(true)
	return w, w.startStack(4 * time.Second)
}

// lives goes on with a login that came by grant: a bridge lists, calls, refreshes
// and steps up, and after the logout the tokens are dead.
func (w *world) lives(s *stack, grant string) {
	w.t.Helper()
	h := w.startHost("--url", s.Endpoint)
	h.initialize()
	if tools := h.tools(); !slices.Contains(tools, "echo") {
		w.t.Fatalf("tools: %v, want echo among them", tools)
	}
	echo := func() string { return h.call("echo", map[string]any{"message": "42"}).Content[0].Text }
	if got := echo(); !strings.Contains(got, "42") {
		w.t.Errorf("echo says %q", got)
	}
	w.eventually("a refresh", 20*time.Second, func() bool { _ = echo(); return len(s.granted("refresh_token")) > 0 })
	if got := echo(); !strings.Contains(got, "42") {
		w.t.Errorf("after the refresh echo says %q", got)
	}
	if n := len(s.granted(grant)); n != 1 {
		w.t.Errorf("%d sign-ins, want 1", n)
	}
	w.stepsUp(s, h)
	if code := h.end(); code != 0 {
		w.t.Errorf("the bridge ended with %d", code)
	}
	w.must(w.payu("logout"), 0)
	w.must(w.payu("status", "--json"), 3)
	s.assertDead(w.t)
	w.noLeaks(s.secrets())
}

// stepsUp calls the tool that wants a scope more: one sign-in later it works, and
// the earlier scope is still there (OAUTH A22, A23).
func (w *world) stepsUp(s *stack, h *host) {
	w.t.Helper()
	before := len(s.granted("authorization_code"))
	w.eventually("the sum", 60*time.Second, func() bool {
		r := h.call("get-sum", map[string]any{"a": 19, "b": 23})
		text := r.Content[0].Text
		if r.IsError && !strings.Contains(text, "epeat the request") {
			w.t.Fatalf("get-sum says %q", text)
		}
		return !r.IsError && strings.Contains(text, "42")
	})
	signIns := s.granted("authorization_code")[before:]
	if len(signIns) != 1 || signIns[0].Scope != "mcp mcp.sum" {
		w.t.Errorf("sign-ins for more scope: %+v", signIns)
	}
	if got := h.call("echo", map[string]any{"message": "43"}).Content[0].Text; !strings.Contains(got, "43") {
		w.t.Errorf("after it echo says %q", got)
	}
}

func (s *stack) wantRegistrations(t *testing.T, want int) {
	t.Helper()
	if n := len(s.seen(func(e stackEvent) bool { return e.Event == "registration" && e.Status == http.StatusCreated })); n != want {
		t.Errorf("%d registrations, want %d", n, want)
	}
}

// assertDead uses the last tokens as a thief would.
func (s *stack) assertDead(t *testing.T) {
	t.Helper()
	issued := s.seen(func(e stackEvent) bool { return e.Access != "" })
	last := issued[len(issued)-1]
	if code := status(t, s.Endpoint, last.Access, nil); code != http.StatusUnauthorized {
		t.Errorf("after logout the access token gets %d, want 401", code)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {last.Refresh}, "client_id": {last.Client}}
	if code := status(t, s.Issuer+"/token", "", form); code != http.StatusBadRequest {
		t.Errorf("after logout the refresh token gets %d, want 400", code)
	}
}

// status POSTs a form, or a ping with a bearer, and returns the status code.
func status(t *testing.T, to, bearer string, form url.Values) int {
	t.Helper()
	body, kind := `{"jsonrpc":"2.0","id":1,"method":"ping"}`, "application/json"
	if form != nil {
		body, kind = form.Encode(), "application/x-www-form-urlencoded"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json, text/event-stream")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}
