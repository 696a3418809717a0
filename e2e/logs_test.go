package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/e2e/logsearch"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// run has the logs of all programs that the tests start, each at debug level, and
// the secrets of all sandboxes. TestMain searches it when the tests are over.
var run logsearch.Run

// searchLogs ends the run: what it finds fails it.
func searchLogs(code int) int {
	found := run.Findings()
	for _, f := range found {
		fmt.Fprintln(os.Stderr, "e2e: log:", f)
	}
	total := fmt.Sprintf("e2e: %s: %d found\n", run.Total(), len(found))
	_, _ = io.WriteString(os.Stderr, total)
	if err := os.WriteFile(filepath.Join(outDir, "log-search.txt"), []byte(strings.Join(append(found, total), "\n")), 0o600); err != nil || len(found) > 0 && code == 0 {
		return 1
	}
	return code
}

// keepLogs adds the logs of this world to the run, and what was printed as a log.
func (w *world) keepLogs() {
	name := w.t.Name()
	if err := run.Folder(name, w.root); err != nil {
		w.t.Errorf("keeping the logs: %v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for sink, b := range w.sinks {
		if strings.HasPrefix(sink, "stderr of the bridge") {
			run.Log(name+" "+sink, []byte(b.String()))
		}
	}
}

// keepSecrets adds what a sandbox issued.
func keepSecrets(sb *sandbox.Sandbox) {
	run.Secrets(sb.Secrets()...)
	for _, e := range sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"}) {
		run.Secrets(e.Form["state"]...)
	}
}

// about is a text that repeats a customer.
func about() string {
	return fmt.Sprintf("%s <%s>, +91 %s, cards %s", logsearch.Name, logsearch.Email, logsearch.Phone, strings.Join(logsearch.Cards(), ", "))
}

// customer are arguments with one.
func customer() map[string]any {
	return map[string]any{
		"invoiceNumber": "INV-77", "subAmount": 10, "description": about(), "customerName": logsearch.Name, "customerEmail": logsearch.Email,
		"customerPhone": logsearch.Phone, "channels": []any{map[string]any{"type": "email", "address": logsearch.Email}},
	}
}

// told are answers of a server that repeats a customer wherever it can.
func told() map[string]fault.Fault {
	raw := func(text string) fault.Fault {
		return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.ReadAll(r.Body)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, text)
				_ = conn.Close()
			}
		}
	}
	typed := func(status int, kind, body string) fault.Fault {
		return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.ReadAll(r.Body)
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	return map[string]fault.Fault{
		"a page":      typed(200, "text/html", "<p>"+about()),
		"broken JSON": typed(200, "application/json", `{"jsonrpc":"2.0","id":`+about()),
		"another id":  typed(200, "application/json", `{"jsonrpc":"2.0","id":"`+logsearch.Email+`","result":{}}`),
		"an error":    typed(400, "application/json", `{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"`+about()+`"}}`),
		"not allowed": typed(403, "text/plain", about()),
		"a fault":     typed(500, "text/plain", about()),
		"events":      typed(200, "text/event-stream", "event: "+about()+"\nid: "+logsearch.Email+"\ndata: "+about()+"\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\""+logsearch.Email+"\"}\n\n"),
		"a redirect": func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Redirect(w, r, "/x?for="+logsearch.Email, http.StatusFound)
		},
		"no HTTP":       raw(about() + "\r\n\r\n"),
		"no status":     raw("HTTP/1.1 " + about() + "\r\n\r\n"),
		"a header line": raw("HTTP/1.1 200 OK\r\n" + about() + "\r\n\r\n"),
		"a length":      raw("HTTP/1.1 200 OK\r\nContent-Length: " + logsearch.Phone + "x\r\n\r\n"),
		"a transfer":    raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + logsearch.Email + "\r\n\r\n"),
	}
}

// A host that asks about a customer, a server that repeats him in every place that
// it has for texts, and an authorization server that does: what the host gets is
// one thing, the log another. The run's search looks for it; that something was
// logged at all is looked at here.
//
//oauth:row X18 auth/token_request.go "func (e *tokenError) ForeignText() string { return e.description }" => "func (e *tokenError) ForeignText() string { return \"\" }"
func TestLogs_customersEverywhere_notLogged(t *testing.T) {
	t.Parallel()
	w, in := newWorld(t), &fault.Injector{}
	sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap})
	w.visitor()
	refusal := fault.Document(http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": about()})
	atToken := func(grant string) func(fault.Request) bool {
		return func(r fault.Request) bool { return r.Path == "/oauth/token" && r.Grant == grant }
	}
	in.AddIf(atToken("authorization_code"), 1, refusal)
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), exitServer)
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)

	h := w.startHost()
	h.initialize()
	h.works()
	for _, tool := range []string{"payLinks_paymentLink_create", "payLinks_paymentLink_send", "payLinks_paymentLink_get", about()} {
		h.ask("tools/call", map[string]any{"name": tool, "arguments": customer()})
	}
	h.ask("resources/read", map[string]any{"uri": "customer:" + logsearch.Email})
	h.ask("prompts/get", map[string]any{"name": about(), "arguments": map[string]any{"card": logsearch.Cards()[0]}})
	h.ask("about/"+logsearch.Email, customer())
	h.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/" + logsearch.Email, "params": customer()})
	if _, err := io.WriteString(h.stdin, about()+"\n"); err != nil {
		t.Fatal(err)
	}
	isCall := func(r fault.Request) bool { return r.RPC == "tools/call" }
	for name, answer := range told() {
		in.AddIf(isCall, 1, answer)
		t.Logf("%s: %.300s", name, h.ask("tools/call", map[string]any{"name": "health_check", "arguments": customer()}).Error)
	}
	sb.ExpireAccessTokens()
	in.AddIf(atToken("refresh_token"), 1, refusal)
	h.ask("tools/call", healthCheck())
	sb.RevokeFromDashboard("B")
	in.AddIf(atToken("authorization_code"), 1, refusal)
	t.Logf("the sign-in for a call: %s", h.ask("tools/call", healthCheck()).Result)
	h.end()

	log, err := os.ReadFile(filepath.Join(w.state, "logs", "default.log"))
	text := string(log)
	if err != nil || strings.Count(text, "msg=request") < 10+len(told()) || strings.Count(text, "level=DEBUG msg=http") < 10+len(told()) {
		t.Errorf("little is logged (%v):\n%s", err, text)
	}
	for _, want := range []string{"tool=payLinks_paymentLink_create", "outcome=unknown_outcome", "outcome=forbidden", "the token endpoint answered invalid_request", "method=\"(not shown)\""} {
		if !strings.Contains(text, want) {
			t.Errorf("the log has no %s:\n%s", want, text)
		}
	}
	var mine logsearch.Run
	if err := mine.Folder(t.Name(), w.root); err != nil {
		t.Fatal(err)
	}
	mine.Secrets(sb.Secrets()...)
	for _, f := range mine.Findings() {
		t.Error(f)
	}
	w.noLeaks(sb.Secrets())
}

// The search finds what it is there for.
func TestLogs_planted_areFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for what, text := range map[string]string{
		"nothing":              "time=" + time.Now().Format(time.RFC3339) + " msg=request in=12 request_id=46deb1c7-0dda-4ed2-badf-c2eed8da2f9b",
		"a secret":             "saw planted-secret-0123456789 there",
		"the number of a card": "card=\"" + logsearch.Cards()[1] + "\"",
		"an e-mail address":    "to=somebody@else.example",
		"a phone number":       "call +91 98765 43210",
		"a customer's name":    "for Asha",
	} {
		var planted logsearch.Run
		planted.Secrets("planted-secret-0123456789", "short")
		path := filepath.Join(dir, strings.ReplaceAll(what, " ", "-"), "logs", "default.1.log")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("first line\n"+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := planted.Folder("planted", filepath.Dir(filepath.Dir(path))); err != nil {
			t.Fatal(err)
		}
		found := strings.Join(planted.Findings(), "; ")
		if want := "planted /logs/default.1.log, line 2 holds " + what; what == "nothing" && found != "" || what != "nothing" && found != want {
			t.Errorf("%s: found %q", what, found)
		}
	}
}
