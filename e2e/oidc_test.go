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
// with a browser, list, call, refresh after expiry, log out, and what was issued
// is worth nothing afterwards.
func TestOIDC_wholeLife_endsWithDeadTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startBus()
	w.startKeyring(true)
	s := w.startStack(4 * time.Second)
	w.chromium("oidc", map[string]any{"user": "merchant"})

	w.must(w.payu("login", "--url", s.Endpoint), 0)
	pages := w.visited("oidc")
	if last := pages[len(pages)-1]; !strings.HasPrefix(last.Origin, "http://127.0.0.1:") || last.Path != "/done" {
		t.Errorf("the browser ended at %s%s, want the page that says it worked", last.Origin, last.Path)
	}

	h := w.startHost("--url", s.Endpoint)
	h.initialize()
	if tools := h.tools(); !slices.Contains(tools, "echo") {
		t.Fatalf("tools: %v, want echo among them", tools)
	}
	echo := func() string { return h.call("echo", map[string]any{"message": "42"}).Content[0].Text }
	if got := echo(); !strings.Contains(got, "42") {
		t.Errorf("echo says %q", got)
	}
	w.eventually("a refresh", 20*time.Second, func() bool { _ = echo(); return len(s.granted("refresh_token")) > 0 })
	if got := echo(); !strings.Contains(got, "42") {
		t.Errorf("after the refresh echo says %q", got)
	}
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	if n := len(s.granted("authorization_code")); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}

	w.must(w.payu("logout"), 0)
	w.must(w.payu("status", "--json"), 3)
	s.assertDead(t)
	w.noLeaks(s.secrets())
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
