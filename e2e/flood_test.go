package e2e

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// An authorization server that floods each request of a sign-in, and the refresh,
// with a gzip bomb, a body or a header without end: the bridge says what is
// wrong, stays small, and the next sign-in works.
//
//oauth:row X14 auth/fetch.go "io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))" => "io.ReadAll(res.Body)"
func TestFlood_authorizationServer_bridgeStaysSmall(t *testing.T) {
	t.Parallel()
	w, in := newWorld(t), &fault.Injector{}
	sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap})
	w.visitor()
	h := w.startHost("--url", sb.Endpoint(), "--store=file")
	h.initialize()
	var taken atomic.Int64
	floods := map[string]fault.Fault{"bomb": fault.Bomb(), "flood": fault.Flood(&taken), "header": fault.EndlessHeader()}
	for name, f := range floods {
		for _, path := range []string{"/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server", "/register", "/oauth/token"} {
			w.must(w.payu("logout"), 0) // with the registration
			in.AddIf(func(r fault.Request) bool { return r.Path == path }, -1, f)
			m := h.ask("tools/call", healthCheck())
			in.Clear()
			if name == "bomb" && strings.Contains(path, "protected") {
				continue // no document means none: it signed in
			}
			if text := string(m.Error) + string(m.Result); !strings.Contains(text, `"isError":true`) && m.Error == nil || len(text) > 4000 {
				t.Errorf("%s at %s: %.300s", name, path, text)
			}
		}
	}
	h.healthy()
	for name, f := range floods {
		sb.ExpireAccessTokens()
		in.AddIf(func(r fault.Request) bool { return r.Grant == "refresh_token" }, -1, f)
		m := h.ask("tools/call", healthCheck())
		in.Clear()
		if m.Error == nil {
			t.Errorf("%s at the refresh: %s", name, m.Result)
		}
		w.eventually("the refresh is tried again", commandLimit, func() bool {
			m := h.ask("tools/call", healthCheck())
			return m.Error == nil
		})
	}
	kib := residentKiB(t, h.cmd.Process.Pid)
	t.Logf("resident memory: %d KiB", kib)
	if os.Getenv("E2E_RACE") == "" && kib > hostileLimit {
		t.Errorf("the bridge held %d KiB, limit %d", kib, hostileLimit)
	}
	h.end()
	w.noLeaks(sb.Secrets())
}

// No request of a sign-in asks for compression, so that a limit of bytes is one
// (OAUTH X14).
//
//oauth:row X14 cmd/payu-mcp/wire.go "NoCompression: true," => "NoCompression: false,"
func TestFlood_authorizationServer_isNotAskedForCompression(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	asked := map[string]string{}
	sb := startSandbox(t, sandbox.Options{Wrap: func(role sandbox.Role, next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/mcp" {
				mu.Lock()
				asked[string(role)+" "+r.URL.Path] = r.Header.Get("Accept-Encoding")
				mu.Unlock()
			}
			next.ServeHTTP(rw, r)
		})
	}})
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	w.must(w.payu("logout"), 0)
	for _, at := range []string{"RS /.well-known/oauth-authorization-server", "RS /register", "AS /oauth/token", "AS /oauth/revoke"} {
		if coding, seen := asked[at]; !seen || coding != "" {
			t.Errorf("%s: seen %v, Accept-Encoding %q", at, seen, coding)
		}
	}
}
