package fault_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

func start(t *testing.T, o sandbox.Options) (*sandbox.Sandbox, *fault.Injector) {
	t.Helper()
	var in fault.Injector
	o.Wrap = in.Wrap
	sb, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sb.Close() })
	return sb, &in
}

func post(t *testing.T, sb *sandbox.Sandbox, path string, form url.Values) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sb.AccountsOrigin()+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := sb.HTTPClient().Do(req)
	if err == nil {
		t.Cleanup(func() { resp.Body.Close() })
	}
	return resp, err
}

// works tells whether the resource takes a token.
func works(t *testing.T, sb *sandbox.Sandbox, token string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sb.Endpoint(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := sb.HTTPClient().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func TestFaults_answers_asNamedThenOver(t *testing.T) {
	t.Parallel()
	sb, in := start(t, sandbox.Options{})
	in.Add(sandbox.RoleAccounts, "/oauth/revoke", 1, fault.Status(http.StatusBadGateway))
	in.Add(sandbox.RoleAccounts, "/oauth/revoke", 1, fault.Unavailable(2*time.Second))
	in.Add(sandbox.RoleAccounts, "/oauth/revoke", 1, fault.Portal())
	in.Add(sandbox.RoleAccounts, "/oauth/revoke", 1, fault.OAuthError(http.StatusUnauthorized, "invalid_client"))
	in.Add(sandbox.RoleAccounts, "/oauth/revoke", 1, fault.JSON(http.StatusBadRequest, "{"))
	for i, want := range []struct {
		status      int
		kind, retry string
	}{
		{http.StatusBadGateway, "text/html; charset=utf-8", ""},
		{http.StatusServiceUnavailable, "text/html; charset=utf-8", "2"},
		{http.StatusOK, "text/html; charset=utf-8", ""},
		{http.StatusUnauthorized, "application/json", ""},
		{http.StatusBadRequest, "application/json", ""},
		{http.StatusOK, "", ""},
	} {
		resp, err := post(t, sb, "/oauth/revoke", nil)
		if err != nil || resp.StatusCode != want.status || resp.Header.Get("Content-Type") != want.kind || resp.Header.Get("Retry-After") != want.retry {
			t.Errorf("%d: %v %v", i, resp, err)
		}
		if n := sb.Log().Count(sandbox.Query{Status: want.status}); n == 0 {
			t.Errorf("%d: not in the log", i)
		}
	}
	if in.Fired() != 5 {
		t.Error("fired:", in.Fired())
	}
	in.Add(sandbox.RoleAccounts, "/oauth/revoke", -1, fault.Portal())
	in.Clear()
	if resp, err := post(t, sb, "/oauth/revoke", nil); err != nil || resp.Header.Get("Content-Type") != "" {
		t.Error(resp, err)
	}
}

// The answer is lost, and what the request did stays done: the token is revoked.
func TestLostAnswer_ran_noAnswer(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sandbox.Options{"1.1": {}, "2": {TLS: true, HTTP2: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb, in := start(t, o)
			for _, c := range []struct {
				f   fault.Fault
				ran bool
			}{{fault.LostAnswer(), true}, {fault.Reset(), false}} {
				token := sb.IssueToken("A")
				in.Add(sandbox.RoleAccounts, "/oauth/revoke", 1, c.f)
				if _, err := post(t, sb, "/oauth/revoke", url.Values{"token": {token}}); err == nil {
					t.Error("answered")
				}
				if works(t, sb, token) == c.ran {
					t.Errorf("ran: %t, want %t", !c.ran, c.ran)
				}
			}
			if n := sb.Log().Count(sandbox.Query{Path: "/oauth/revoke"}); n != 2 {
				t.Errorf("%d requests in the log", n)
			}
		})
	}
}

// The request has run when do is called; the answer comes after that. Only what
// matches meets it.
func TestBetween_ranThenDoThenAnswer(t *testing.T) {
	t.Parallel()
	sb, in := start(t, sandbox.Options{})
	token := sb.IssueToken("A")
	alive := true
	revoking := func(r fault.Request) bool { return r.Grant == "x" && r.Path == "/oauth/revoke" }
	fired := in.AddIf(revoking, 1, fault.Between(func(context.Context) { alive = works(t, sb, token) }))
	for _, grant := range []string{"x", "y"} {
		resp, err := post(t, sb, "/oauth/revoke", url.Values{"token": {token}, "grant_type": {grant}})
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Error(resp, err)
		}
	}
	if alive || fired() != 1 {
		t.Errorf("in between the token worked: %t; it happened %d times", alive, fired())
	}
}
