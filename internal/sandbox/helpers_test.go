package sandbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const (
	verifier = "a-code-verifier-of-at-least-forty-three-characters"
	redirect = "http://127.0.0.1:51234/callback"
)

// TestMain fails when something of the sandbox outlives its Close (PAYU S5).
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leaks(time.Now().Add(5 * time.Second)); left != "" && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines left:\n"+left)
		code = 1
	}
	os.Exit(code)
}

func leaks(deadline time.Time) string {
	for {
		buf := make([]byte, 1<<20)
		all := string(buf[:runtime.Stack(buf, true)])
		var left []string
		for g := range strings.SplitSeq(all, "\n\n") {
			if !strings.Contains(g, "TestMain") && (strings.Contains(g, "internal/sandbox.") || strings.Contains(g, "net/http.")) {
				left = append(left, g)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
		runtime.Gosched()
	}
}

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func limit(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	sb, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	})
	return sb
}

// app is an OAuth client written by hand.
type app struct {
	t          *testing.T
	sb         *sandbox.Sandbox
	http       *http.Client
	id, secret string
	basic      bool
}

func newApp(t *testing.T, sb *sandbox.Sandbox) *app {
	t.Helper()
	a := &app{t: t, sb: sb, http: sb.HTTPClient(), id: "app"}
	a.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	sb.AddClient(sandbox.Client{ID: a.id, RedirectURIs: []string{redirect}})
	return a
}

func (a *app) do(method, to, contentType, body string) *http.Response {
	a.t.Helper()
	req, err := http.NewRequestWithContext(limit(a.t), method, to, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if a.basic {
		req.SetBasicAuth(a.id, a.secret)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (a *app) authorizeURL(change url.Values) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {a.id}, "redirect_uri": {redirect}, "state": {"the-state"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"}, "resource": {a.sb.Endpoint()},
	}
	maps.Copy(q, change)
	return a.sb.AccountsOrigin() + "/oauth/authorize?" + q.Encode()
}

// authorize sends a headless authorization request and returns the response's
// query, or the status of a page.
func (a *app) authorize(change url.Values) (url.Values, int) {
	a.t.Helper()
	if a.sb.Knobs().Login.Headless == "" {
		a.sb.SetHeadless("B")
	}
	resp := a.do(http.MethodGet, a.authorizeURL(change), "", "")
	to, err := resp.Location()
	if err != nil {
		return nil, resp.StatusCode
	}
	return to.Query(), resp.StatusCode
}

type tokens struct {
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token"`
	Type        string `json:"token_type"`
	Expires     *int   `json:"expires_in"`
	Scope       string `json:"scope"`
	Created     int64  `json:"created_at"`
	User        string `json:"user_uuid"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
	status      int
}

func (a *app) token(form url.Values) tokens {
	a.t.Helper()
	if !a.basic {
		form.Set("client_id", a.id)
		if a.secret != "" {
			form.Set("client_secret", a.secret)
		}
	}
	resp := a.do(http.MethodPost, a.sb.AccountsOrigin()+"/oauth/token", "application/x-www-form-urlencoded", form.Encode())
	var got tokens
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		a.t.Fatal(err)
	}
	got.status = resp.StatusCode
	return got
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}}
}

func (a *app) exchange(code string) tokens { return a.token(codeForm(code)) }

func (a *app) signIn() tokens {
	a.t.Helper()
	q, status := a.authorize(nil)
	got := a.exchange(q.Get("code"))
	if got.status != http.StatusOK {
		a.t.Fatalf("authorize %d, token %d %s", status, got.status, got.Error)
	}
	return got
}

func (a *app) refresh(token string) tokens {
	a.t.Helper()
	return a.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// host is an MCP client written by hand.
type host struct {
	t     *testing.T
	sb    *sandbox.Sandbox
	http  *http.Client
	token string
	next  int
}

func newHost(t *testing.T, sb *sandbox.Sandbox, user string) *host {
	t.Helper()
	return &host{t: t, sb: sb, http: sb.HTTPClient(), token: sb.IssueToken(user)}
}

// send sends body with header pairs.
func (h *host) send(method, body string, header ...string) *http.Response {
	h.t.Helper()
	req, err := http.NewRequestWithContext(limit(h.t), method, h.sb.Endpoint(), strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := h.http.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type answer struct {
	Result struct {
		Content []struct{ Type, Text string }
		IsError bool
		Tools   []struct {
			Name        string
			InputSchema map[string]any
			Annotations *struct{ ReadOnlyHint bool }
		}
		NextCursor      string
		ProtocolVersion string
	}
	Error *struct {
		Code    int
		Message string
	}
}

func (a answer) text() string {
	if len(a.Result.Content) != 1 {
		return ""
	}
	return a.Result.Content[0].Text
}

func (h *host) ask(method, params string) answer {
	h.t.Helper()
	h.next++
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, h.next, method, params)
	raw := read(h.t, h.send(http.MethodPost, body))
	var a answer
	if err := json.NewDecoder(bytes.NewReader([]byte(raw))).Decode(&a); err != nil {
		h.t.Fatalf("%v in %q", err, raw)
	}
	return a
}

func (h *host) call(tool, arguments string) answer {
	h.t.Helper()
	return h.ask("tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, tool, arguments))
}

// serve runs h on a loopback port and returns its origin.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
