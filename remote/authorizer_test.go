package remote_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

// guarded answers calls that bear one of the good tokens.
func guarded(t *testing.T, good ...string) *wire {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		for _, g := range good {
			if r.Header.Get("Authorization") == "Bearer "+g {
				reply(w, answer)
				return
			}
		}
		w.Header().Add("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.Header().Add("WWW-Authenticate", "Basic")
		w.WriteHeader(401)
	})
}

func with(a remote.Authorizer) func(*remote.Config) {
	return func(c *remote.Config) { c.Authorizer = a }
}

func TestDo_401_asksAgainAndSendsOnceMore(t *testing.T) {
	t.Parallel()
	s := guarded(t, "new")
	a := &tokens{list: []redact.Secret{"old", "new"}}
	starts, sents := 0, 0
	err := client(t, s.URL, with(a)).Do(t.Context(), message(t, call), remote.Hooks{
		Start: func(string) bool { starts++; return true }, Sent: func() { sents++ },
	})
	if err != nil || len(s.requests()) != 2 || starts != 2 || sents != 2 {
		t.Fatalf("%v, %d requests, %d starts, %d sents", err, len(s.requests()), starts, sents)
	}
	if a.rejections() != "old" || strings.Join(a.headers, ";") != `Bearer error="invalid_token";Basic` {
		t.Errorf("rejected %q with %q", a.rejections(), a.headers)
	}
	if x, y := s.requests()[0], s.requests()[1]; x.body != y.body || x.header.Get("X-Request-ID") == y.header.Get("X-Request-ID") {
		t.Error("the second try is not the same message with an id of its own")
	}
}

func TestDo_401Twice_isNotSentAThirdTime(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	a := &tokens{list: []redact.Secret{"a", "b", "c"}}
	_, err := do(t, client(t, s.URL, with(a)), call)
	e := kindOf(t, err)
	if e.Kind != remote.KindSignIn || errors.Is(err, remote.ErrSignIn) || len(s.requests()) != 2 || a.rejections() != "a,b" {
		t.Errorf("%v, %d requests, rejected %s", e, len(s.requests()), a.rejections())
	}
}

// A 403 for want of scope: once more with another token, not with the same one.
//
//oauth:row X28 remote/exchange.go "f.event == eventScope && x.client.isCurrent" => "false && x.client.isCurrent"
func TestDo_403ForScope_sentAgainOnlyWithAnotherToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list []redact.Secret
		want int
	}{"another token": {[]redact.Secret{"narrow", "wide"}, 2}, "the same token": {[]redact.Secret{"narrow", "narrow"}, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="more"`)
				w.WriteHeader(http.StatusForbidden)
			})
			_, err := do(t, client(t, s.URL, with(&tokens{list: c.list})), call)
			if e := kindOf(t, err); e.Kind != remote.KindPermission || len(s.requests()) != c.want {
				t.Errorf("%v, %d requests, want %d", e, len(s.requests()), c.want)
			}
		})
	}
}

func TestDo_401NobodySignedIn_saysSignIn(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	for name, a := range map[string]*tokens{"bare": {}, "revoked": {list: []redact.Secret{"tok-secret"}}} {
		_, err := do(t, client(t, s.URL, with(a)), call)
		e := kindOf(t, err)
		if !errors.Is(err, remote.ErrSignIn) || !errors.Is(err, errNobody) || e.Kind != remote.KindSignIn || e.Status != 401 {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(hint.Of(err), "payu-mcp login") || strings.Contains(err.Error(), "tok-secret") {
			t.Errorf("%s: hint %q, error %q", name, hint.Of(err), err)
		}
	}
	if got := s.requests(); got[0].header.Get("Authorization") != "" && got[1].header.Get("Authorization") != "" {
		t.Error("the bare request bore a token")
	}
	_, err := do(t, client(t, s.URL), call)
	if !errors.Is(err, remote.ErrSignIn) {
		t.Errorf("without an authorizer: %v", err)
	}
}

func TestDo_tokenUnavailable_nothingIsSent(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	locked := hint.With(errors.New("the keychain is locked"), "unlock it")
	_, err := do(t, client(t, s.URL, with(&tokens{tokenErr: locked})), call)
	e := kindOf(t, err)
	if e.Kind != remote.KindToken || e.Side() != "this computer" || hint.Of(err) != "unlock it" || len(s.requests()) != 0 {
		t.Error(e, hint.Of(err), len(s.requests()))
	}
}
