package e2e

import (
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// echo refuses a request and says, in all places that a server has for texts,
// what it was sent: the form, each value of it, and the credentials.
func echo(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	body, _ := io.ReadAll(r.Body)
	said := r.Header.Get("Authorization") + " " + string(body)
	if r.ParseForm() == nil {
		for _, values := range r.Form {
			said += " " + strings.Join(values, " ")
		}
	}
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_request", error_description="`+said+`"`)
	fault.Document(http.StatusUnauthorized, map[string]any{"error": "invalid_request", "error_description": said, "error_uri": said})(w, r, nil)
}

// A login's whole life, at debug level, with a server that gives secrets of all
// kinds and repeats what it was sent: sign-in, use, renewal, refusal, a second
// sign-in, a dump of all goroutines, logout. Every secret that the server saw or
// gave, codes, verifiers and states with them, is looked for in all output, all
// files, and the arguments and environment of all processes.
//
//oauth:row X18 auth/token_request.go "clean(without(form, r, res.Description))" => "clean(res.Description)"
//oauth:row A37 auth/token_request.go "clean(without(form, r, res.Description))" => "clean(res.Description)"
func TestLeaks_wholeLife_nothingGetsOut(t *testing.T) {
	t.Parallel()
	for name, methods := range map[string][]string{"public": {"none"}, "post": {"client_secret_post"}, "basic": {"client_secret_basic"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := newWorld(t), &fault.Injector{}
			sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap})
			sb.SetMetadata(members("token_endpoint_auth_methods_supported", methods))
			w.visitor()
			atToken := func(grant string) func(fault.Request) bool {
				return func(r fault.Request) bool { return r.Path == "/oauth/token" && r.Grant == grant }
			}
			in.AddIf(atToken("authorization_code"), 1, echo)
			if r := w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), exitServer); !strings.Contains(r.stderr, "[redacted]") {
				t.Errorf("the server's text was not shown at all, so nothing was tried: %s", r.stderr)
			}
			w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)

			h := w.startHost("--log-file", w.path("logs", "bridge.log"))
			h.initialize()
			h.works()
			sb.ExpireAccessTokens()
			in.AddIf(atToken("refresh_token"), 1, echo)
			if m := h.ask("tools/call", healthCheck()); m.Error == nil {
				t.Errorf("the refresh was refused, and the call gave %s", m.Result)
			}
			w.eventually("the refresh is tried again", commandLimit, func() bool { return h.ask("tools/call", healthCheck()).Error == nil })
			sb.RevokeFromDashboard("B")
			h.healthy() // signs in anew
			if err := h.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Fatal(err)
			}
			<-h.ended
			if said := w.bridgeSaid(); !strings.Contains(said, "goroutine ") {
				t.Errorf("no goroutines were dumped: %s", said)
			}
			in.AddIf(func(r fault.Request) bool { return r.Path == "/oauth/revoke" }, 1, echo)
			w.must(w.payu("logout"), exitServer) // it says that one token may live on
			if info, err := os.Stat(w.path("logs", "bridge.log")); err != nil || info.Size() == 0 {
				t.Errorf("no log to search (%v)", err)
			}
			w.noLeaks(append(sb.Secrets(), states(t, sb)...))
		})
	}
}

// states are those of all authorization requests: where we opened the browser,
// they are nobody else's business (OAUTH X9).
func states(t *testing.T, sb *sandbox.Sandbox) []string {
	t.Helper()
	var all []string
	for _, e := range sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"}) {
		all = append(all, e.Form["state"]...)
	}
	if len(all) < 3 || len(all[0]) < 40 {
		t.Errorf("states: %d", len(all))
	}
	return all
}
