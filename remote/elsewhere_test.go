package remote_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

// A redirect of the endpoint, for each verb and to each kind of place, is told
// and not followed: its target sees neither the message nor the token.
//
//oauth:row X15 remote/exchange.go "x.client.http.RoundTrip(r)" => "(&http.Client{Transport: x.client.http}).Do(r)"
//oauth:row A36 remote/exchange.go "x.client.http.RoundTrip(r)" => "(&http.Client{Transport: x.client.http}).Do(r)"
func TestRedirect_everyVerbCodeAndTarget_notFollowed(t *testing.T) {
	t.Parallel()
	target := guarded(t, "tok")
	bad := url.URL{Scheme: "http", Host: strings.Replace(strings.TrimPrefix(target.URL, "http://"), "127.0.0.1", "localhost", 1), Path: "/mcp"}
	places := []string{target.URL, target.URL + "/mcp", bad.String(), "/elsewhere"}
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, place := range places {
			redirect := func(w http.ResponseWriter) { w.Header().Set("Location", place); w.WriteHeader(code) }
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, body string) {
				if strings.Contains(body, `"initialize"`) {
					w.Header().Set("Mcp-Session-Id", "s1")
					reply(w, `{"id":0,"result":{"protocolVersion":"2025-11-25"}}`)
					return
				}
				redirect(w)
			})
			c := client(t, s.URL, with(&tokens{list: []redact.Secret{"tok"}}))
			if _, err := do(t, c, initialize); err != nil {
				t.Fatal(err)
			}
			for _, line := range []string{list, call} {
				_, err := do(t, c, line)
				if e := kindOf(t, err); e.Kind != remote.KindRedirect || e.Status != code {
					t.Errorf("%d to %s: %v", code, place, e)
				}
			}
			listenOnce(t, c, s)
			_ = c.Close(t.Context()) // the DELETE was redirected too
			if n := len(s.requests()); n < 5 {
				t.Errorf("%d to %s: %d requests, want initialize, list, call, GET, DELETE", code, place, n)
			}
			for _, r := range s.requests() {
				if r.path != "" && r.path != "/" {
					t.Errorf("%d to %s: %s %s was asked", code, place, r.method, r.path)
				}
			}
		}
	}
	if n := len(target.requests()); n != 0 {
		t.Errorf("the targets saw %d requests", n)
	}
}

// listenOnce opens the GET stream and ends it when the server has answered.
func listenOnce(t *testing.T, c *remote.Client, s *wire) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() { c.Listen(ctx, func(jsonmsg.Message) {}) })
	s.waitFor(t, func(r seen) bool { return r.method == http.MethodGet })
	cancel()
	listening.Wait()
}

// Each request of a session bears the token in its header, and none in its
// address: POST, GET and DELETE (MCP, authorization, access token usage).
//
//oauth:row A35 remote/authorizer.go "r.Header.Set(\"Authorization\", \"Bearer \"+token.Reveal())" => "r.URL.RawQuery = \"access_token=\" + token.Reveal()"
//oauth:row A35 remote/authorizer.go "if token == \"\" {" => "if token == \"\" || r.Method != http.MethodPost {"
func TestBearer_everyVerb_inTheHeaderAndNowhereElse(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request, body string) {
		switch {
		case strings.Contains(body, `"initialize"`):
			w.Header().Set("Mcp-Session-Id", "s1")
			reply(w, `{"id":0,"result":{"protocolVersion":"2025-11-25"}}`)
		case strings.Contains(body, `"id"`):
			reply(w, answer)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusAccepted)
		default:
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
	c := client(t, s.URL, with(&tokens{list: []redact.Secret{"tok-in-the-header"}}))
	for _, line := range []string{initialize, inited, call} {
		if _, err := do(t, c, line); err != nil {
			t.Fatal(err)
		}
	}
	listenOnce(t, c, s)
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	verbs := map[string]int{}
	for _, r := range s.requests() {
		verbs[r.method]++
		if r.header.Get("Authorization") != "Bearer tok-in-the-header" || strings.Contains(r.query, "tok-in") || strings.Contains(r.body, "tok-in") {
			t.Errorf("%s ?%s: Authorization %q", r.method, r.query, r.header.Get("Authorization"))
		}
	}
	if verbs["POST"] != 3 || verbs["GET"] == 0 || verbs["DELETE"] != 1 {
		t.Errorf("requests: %v", verbs)
	}
}
