package remote_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

// sessions is a server that gives the id on initialize and answers all else.
func sessions(t *testing.T, id, version string) *wire {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request, body string) {
		switch {
		case r.Method == http.MethodDelete:
			w.WriteHeader(405)
		case strings.Contains(body, `"initialize"`):
			if id != "" {
				w.Header().Set("Mcp-Session-Id", id)
			}
			reply(w, fmt.Sprintf(`{"id":0,"result":{"protocolVersion":%q}}`, version))
		case body == inited:
			w.WriteHeader(202)
		default:
			reply(w, answer)
		}
	})
}

func converse(t *testing.T, c *remote.Client) {
	t.Helper()
	for _, line := range []string{initialize, inited, call, initialize} {
		if _, err := do(t, c, line); err != nil {
			t.Fatal(line, err)
		}
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error("second close:", err)
	}
}

func TestSession_givenByInitialize_sentFromThenOnAndEnded(t *testing.T) {
	t.Parallel()
	s := sessions(t, "sess-~!1", "2025-06-18")
	c := client(t, s.URL, with(&tokens{list: []redact.Secret{"tok"}}))
	converse(t, c)
	want := []string{"POST  ", "POST sess-~!1 2025-06-18", "POST sess-~!1 2025-06-18", "POST  ", "DELETE sess-~!1 2025-06-18"}
	got := s.requests()
	for i, r := range got {
		line := r.method + " " + r.header.Get("Mcp-Session-Id") + " " + r.header.Get("MCP-Protocol-Version")
		if i >= len(want) || line != want[i] {
			t.Errorf("request %d: %q", i, line)
		}
		if r.header.Get("Authorization") != "Bearer tok" {
			t.Errorf("request %d without the token", i)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d requests, want %d", len(got), len(want))
	}
}

func TestSession_serverWithout_versionOnlyAndNoDELETE(t *testing.T) {
	t.Parallel()
	s := sessions(t, "", "2025-11-25")
	converse(t, client(t, s.URL))
	for i, r := range s.requests() {
		if r.method == http.MethodDelete || r.header.Get("Mcp-Session-Id") != "" {
			t.Errorf("request %d: %s", i, r.method)
		}
	}
	if v := s.requests()[2].header.Get("MCP-Protocol-Version"); v != "2025-11-25" {
		t.Errorf("version %q", v)
	}
}

//oauth:row X23 remote/session.go "if len(id) > maxSessionID || !visible(id) {" => "if false {"
//oauth:row X23 remote/session.go "if len(version) > maxVersion || !visible(version) {" => "if false {"
func TestSession_hostileIDOrVersion_neverSent(t *testing.T) {
	t.Parallel()
	for _, id := range []string{strings.Repeat("a", 1025), "a b", "a\tb", "\u00e9"} {
		s := sessions(t, id, "2025-11-25")
		_, err := do(t, client(t, s.URL), initialize)
		if e := kindOf(t, err); e.Kind != remote.KindBadAnswer || strings.Contains(e.Error(), id) {
			t.Errorf("%.20q: %v", id, e)
		}
	}
	for _, version := range []string{"2025\r\nX-Evil: 1", "v v", strings.Repeat("1", 100)} {
		s := sessions(t, "ok", version)
		c := client(t, s.URL)
		for _, line := range []string{initialize, call} {
			if _, err := do(t, c, line); err != nil {
				t.Error(err)
			}
		}
		got := s.requests()
		if len(got) != 2 {
			t.Errorf("%.20q: %d requests were sent, want 2", version, len(got))
			continue
		}
		if h := got[1].header; h.Get("MCP-Protocol-Version") != "" || h.Get("X-Evil") != "" {
			t.Errorf("sent %v", h)
		}
	}
}

// A server that has lost the session, and loses each new one at once: the call
// goes out twice and no more.
func TestSession_lostForGood_saidSoButUnknownMethodIsNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		kind   remote.Kind // "" = the body is passed
	}{
		"404":                 {404, "session not found", remote.KindSessionLost},
		"404 JSON-RPC":        {404, `{"id":null,"error":{"code":-32001,"message":"Session not found"}}`, remote.KindSessionLost},
		"404 unknown method":  {404, `{"id":9007199254740993,"error":{"code":-32601,"message":"no"}}`, ""},
		"400 about a session": {400, `{"id":null,"error":{"code":-32000,"message":"Bad Request: No valid Session ID"}}`, remote.KindSessionLost},
		"400 other":           {400, `{"id":null,"error":{"code":-32602,"message":"bad params"}}`, ""},
		"400 plain":           {400, "no", remote.KindRefused},
	} {
		calls := 0
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, body string) {
			if strings.Contains(body, `"initialize"`) {
				w.Header().Set("Mcp-Session-Id", "s")
				answerTo(w, body, `{"protocolVersion":"2025-11-25"}`)
				return
			}
			calls++
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		r := client(t, s.URL)
		if _, err := do(t, r, initialize); err != nil {
			t.Fatal(err)
		}
		got, err := do(t, r, call)
		if c.kind == "" {
			if err != nil || len(got) != 1 {
				t.Errorf("%s: %v %v", name, got, err)
			}
		} else if e := kindOf(t, err); e.Kind != c.kind {
			t.Errorf("%s: %v", name, e)
		}
		if want := 1; (c.kind == remote.KindSessionLost) != (calls == want+1) {
			t.Errorf("%s: sent %d times", name, calls)
		}
	}
}

func TestClose_serverHangs_gone2SecondsLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodDelete {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return response(200, "application/json", `{"id":0,"result":{}}`, "Mcp-Session-Id", "s"), nil
		})
		c := client(t, "https://example.test/", transport(rt))
		if _, err := do(t, c, initialize); err != nil {
			t.Fatal(err)
		}
		since := time.Now()
		if err := c.Close(t.Context()); err == nil || time.Since(since) != 2*time.Second {
			t.Errorf("after %s: %v", time.Since(since), err)
		}
	})
}

func transport(rt http.RoundTripper) func(*remote.Config) {
	return func(c *remote.Config) { c.HTTP = rt }
}

func response(status int, contentType, body string, kv ...string) *http.Response {
	h := http.Header{"Content-Type": {contentType}}
	for i := 0; i+1 < len(kv); i += 2 {
		h.Set(kv[i], kv[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}
