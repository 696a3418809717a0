package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// acting returns the first character of a program's output that a terminal would
// act on or not show.
func acting(out string) (rune, bool) {
	for _, r := range out {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)) {
			return r, true
		}
	}
	return 0, false
}

// A server puts terminal escapes, directions, invisible characters, line breaks
// and a book into each text of its own that a person may get to see: they are
// gone from all that is printed and logged, and no line of ours is forged.
//
//oauth:row X19 internal/printable/printable.go "return unicode.IsControl(r) ||" => "return r == 0x7f ||"
//oauth:row X19 auth/errors.go "return printable.Line(s, maxServerText)" => "_ = printable.Line; return s"
func TestEscapes_everyTextOfTheServer_areNotPrinted(t *testing.T) {
	t.Parallel()
	evil := fault.EvilText()
	short, _, _ := strings.Cut(evil, "long") // as long as an address may be
	refusal := map[string]any{"error": evil, "error_description": evil, "error_uri": evil}
	for name, c := range map[string]struct {
		path   string // where the server is evil
		answer any    // what it says there, with status
		status int
		set    func(*sandbox.Sandbox)
		code   int // of login
	}{
		"registration refused":   {path: "/register", answer: refusal, status: 400, code: exitServer},
		"registration, code":     {path: "/register", answer: map[string]any{"error": "invalid_redirect_uri", "error_description": evil}, status: 400, code: exitServer},
		"long client id":         {path: "/register", answer: map[string]any{"client_id": evil}, status: 201, code: exitServer},
		"client id":              {path: "/register", answer: map[string]any{"client_id": short}, status: 201},
		"token refused":          {path: "/oauth/token", answer: refusal, status: 401, code: exitServer},
		"token refused, code":    {path: "/oauth/token", answer: map[string]any{"error": "invalid_grant", "error_description": evil}, status: 400, code: exitServer},
		"account, scope":         {path: "/oauth/token", answer: map[string]any{"access_token": "token-of-an-evil-server", "token_type": "bearer", "name": evil, "scope": evil}, status: 200},
		"account as uuid":        {path: "/oauth/token", answer: map[string]any{"access_token": "token-of-an-evil-server", "user_uuid": evil}, status: 200},
		"token type":             {path: "/oauth/token", answer: map[string]any{"access_token": "token-of-an-evil-server", "token_type": evil}, status: 200, code: exitServer},
		"issuer":                 {path: "/.well-known/oauth-authorization-server", answer: map[string]any{"issuer": evil}, status: 200, code: exitServer},
		"authorization endpoint": {set: func(sb *sandbox.Sandbox) { sb.SetMetadata(members("authorization_endpoint", "https://"+evil)) }, code: exitServer},
		"scopes offered": {set: func(sb *sandbox.Sandbox) {
			sb.Change(func(k *sandbox.Knobs) {
				k.Resource, k.Token.Scope = sandbox.ResourceKnobs{Present: true, Scopes: strings.Fields(evil)[:20]}, sandbox.ScopeAbsent
			})
		}},
		"resource":              {path: "/.well-known/oauth-protected-resource/mcp", answer: map[string]any{"resource": evil, "authorization_servers": []string{evil}}, status: 200, code: exitServer},
		"authorization servers": {path: "/.well-known/oauth-protected-resource/mcp", answer: map[string]any{"authorization_servers": []string{evil}}, status: 200, code: exitServer},
		"denied":                {set: func(sb *sandbox.Sandbox) {}, code: exitNotFinished},
		"another error":         {set: func(sb *sandbox.Sandbox) {}, code: exitServer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := newWorld(t), &fault.Injector{}
			sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap})
			w.visitor()
			switch name {
			case "denied":
				in.Add(sandbox.RoleAccounts, "/oauth/authorize", -1, authorizeWith("error", "access_denied", "error_description", evil))
			case "another error":
				in.Add(sandbox.RoleAccounts, "/oauth/authorize", -1, authorizeWith("error", short, "error_description", evil))
			case "client id":
				in.Add(sandbox.RoleAccounts, "/oauth/authorize", -1, authorizeWith("code", "c"))
				in.Add(sandbox.RoleAccounts, "/oauth/token", -1, fault.Document(200, map[string]any{"access_token": "token-of-an-evil-server"}))
			}
			if c.set != nil {
				c.set(sb)
			} else {
				in.AddIf(func(r fault.Request) bool { return r.Path == c.path }, -1, fault.Document(c.status, c.answer))
			}
			r := w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file", "--time-limit=4s"), c.code)
			outputs := map[string]string{"login": r.stdout + r.stderr}
			for _, command := range []string{"status", "status --json", "logout"} {
				r := w.payu(strings.Fields(command)...)
				outputs[command] = r.stdout + r.stderr
			}
			for command, out := range outputs {
				if r, found := acting(out); found {
					t.Errorf("%s printed %U: %.600q", command, r, out)
				}
				if strings.Contains(out, "\npayu-mcp: hint: run rm") || len(out) > 12_000 {
					t.Errorf("%s printed %d bytes: %.600q", command, len(out), out)
				}
			}
		})
	}
}

func members(name string, v any) sandbox.MetadataKnobs {
	return sandbox.MetadataKnobs{Members: map[string]any{name: v}}
}

// authorizeWith sends the browser back with parameters.
func authorizeWith(pairs ...string) fault.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		q := url.Values{"state": r.URL.Query()["state"]}
		for i := 0; i+1 < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		w.Header().Set("Location", r.URL.Query().Get("redirect_uri")+"?"+q.Encode())
		w.WriteHeader(http.StatusFound)
	}
}

// The endpoint names itself and its tools so: status and the bridge's log show
// none of it as it is.
func TestEscapes_namesOfServerAndTools_areNotPrinted(t *testing.T) {
	t.Parallel()
	w, in := newWorld(t), &fault.Injector{}
	sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap})
	w.visitor()
	evil := fault.EvilText()
	for method, result := range map[string]any{
		"initialize": map[string]any{
			"protocolVersion": "2025-11-25", "capabilities": map[string]any{"tools": map[string]any{}},
			"serverInfo": map[string]any{"name": evil, "version": evil}, "instructions": evil,
		},
		"tools/list": map[string]any{"tools": []any{map[string]any{"name": evil, "description": evil, "inputSchema": map[string]any{"type": "object"}}}},
	} {
		in.AddIf(func(r fault.Request) bool { return r.RPC == method }, -1, answering(result))
	}
	in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1, func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		rw.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(rw, evil)
	})
	r := w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	outputs := map[string]string{"login": r.stdout + r.stderr}
	h := w.startHost()
	h.initialize()
	h.ask("tools/list", map[string]any{})
	h.ask("tools/call", map[string]any{"name": evil, "arguments": map[string]any{}})
	h.end()
	outputs["the bridge"] = w.bridgeSaid()
	for _, command := range []string{"status", "status --json", "logout"} {
		r := w.must(w.payu(strings.Fields(command)...), 0)
		outputs[command] = r.stdout + r.stderr
	}
	for command, out := range outputs {
		if r, found := acting(out); found {
			t.Errorf("%s printed %U: %.600q", command, r, out)
		}
	}
}

// answering answers a JSON-RPC request, whatever its id, with a result.
func answering(result any) fault.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		var m struct{ ID json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&m) // the bridge's own
		fault.Document(http.StatusOK, map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": result})(w, r, nil)
	}
}
