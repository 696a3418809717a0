package remote_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

func TestDo_JSONAnswer_bytesUntouchedBothWays(t *testing.T) {
	t.Parallel()
	back := `{"x_unknown":1.0,"result":{"b":1e5,"a":"\u00e9<&>"},"id":9007199254740993,"jsonrpc":"2.0"}`
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) { reply(w, back) })
	got, err := do(t, client(t, s.URL), call)
	if diff := cmp.Diff([]string{back}, got); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
	r := s.requests()[0]
	if r.body != call || r.method != "POST" {
		t.Errorf("the server got %s %s", r.method, r.body)
	}
}

func TestDo_headers_asTheTransportDemands(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) { reply(w, answer) })
	c := client(t, s.URL)
	for range 2 {
		if _, err := do(t, c, call); err != nil {
			t.Fatal(err)
		}
	}
	h := s.requests()[0].header
	if h.Get("Accept") != "application/json, text/event-stream" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	id, other := h.Get("X-Request-ID"), s.requests()[1].header.Get("X-Request-ID")
	if !uuid.MatchString(id) || id == other {
		t.Errorf("request ids %q and %q", id, other)
	}
	for _, name := range []string{"Authorization", "Mcp-Session-Id", "Mcp-Protocol-Version", "Idempotency-Key"} {
		if h.Get(name) != "" {
			t.Errorf("%s was sent", name)
		}
	}
}

func TestDo_SSEAnswer_allMessagesInOrderResponseLast(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		events(w, "id: 1\nretry: 5\ndata:\n\n: comment\nnocolon\n\n",
			"event: message\ndata: {\"method\":\"notifications/progress\",\"params\":{\"progress\":1}}\n\n",
			"event: other\ndata: ignored\n\n",
			"data: {broken\n\n",
			"data: {\"id\":\"s1\",\r\ndata: \"method\":\"elicitation/create\"}\r\n\r\n",
			"data: {\"id\":555,\"result\":{}}\r\r",
			"data: "+answer+"\n\n",
			"data: {\"method\":\"notifications/late\"}\n\n")
	})
	got, err := do(t, client(t, s.URL), call)
	want := []string{
		`{"method":"notifications/progress","params":{"progress":1}}`,
		`{"id":"s1","method":"elicitation/create"}`, answer,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestDo_openStreamAfterResponse_returns(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		events(w, "data: "+answer+"\n\n")
		<-r.Context().Done()
		close(gone)
	})
	if _, err := do(t, client(t, s.URL), call); err != nil {
		t.Fatal(err)
	}
	<-gone
}

//oauth:row X21 remote/answer.go "jsonmsg.Scan(jsonmsg.Compact(body))" => "jsonmsg.Scan(body)"
func TestDo_prettyPrintedAnswer_becomesOneLine(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		reply(w, "{\n  \"id\": 9007199254740993,\n  \"result\": {\"t\": \"a  b\"}\n}\n")
	})
	got, err := do(t, client(t, s.URL), call)
	if err != nil || got[0] != `{"id":9007199254740993,"result":{"t":"a  b"}}` {
		t.Error(got, err)
	}
}

func TestDo_errorBodyOfTheCall_passedByteForByte(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		back, want string
	}{
		{403, `{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-32022,"message":"m","data":{"supported":["x"]}}}`, ""},
		{400, `{"error":{"code":-32600,"message":"m"},"id":9007199254740993.0}`, ""},
		{404, `{"id":9007199254740993,"error":{"code":-32601,"message":"no such method"}}`, ""},
		{500, `{"id":null,"error":{"code":1,"message":"m"}}`, `{"id":9007199254740993,"error":{"code":1,"message":"m"}}`},
		{200, `{"id":null,"error":{"code":1,"message":"m"}}`, `{"id":9007199254740993,"error":{"code":1,"message":"m"}}`},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.back)
		})
		got, err := do(t, client(t, s.URL), call)
		if c.want == "" {
			c.want = c.back
		}
		if err != nil || !slices.Equal(got, []string{c.want}) {
			t.Errorf("%d: %v, %v", c.status, got, err)
		}
	}
}

// TestDo_failures_saidByKind has one row for each way a call or a read fails. A
// call is never sent twice here, a read as often as the row says.
func TestDo_failures_saidByKind(t *testing.T) {
	t.Parallel()
	status := func(code int, kv ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(kv); i += 2 {
				w.Header().Set(kv[i], kv[i+1])
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "<html>secret-server-text</html>")
		}
	}
	ok := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer     http.HandlerFunc
		call, list remote.Kind
		sent       int // how often the list goes out
	}{
		"403":               {status(403), "forbidden", "forbidden", 1},
		"404":               {status(404), "refused", "refused", 1},
		"413":               {status(413), "refused", "refused", 1},
		"408":               {status(408), "rate_limited", "rate_limited", 4},
		"429":               {status(429, "Retry-After", "7"), "rate_limited", "rate_limited", 4},
		"429 for long":      {status(429, "Retry-After", "31"), "rate_limited", "rate_limited", 1},
		"500":               {status(500), "unknown_outcome", "server_error", 2},
		"502":               {status(502), "unknown_outcome", "server_error", 2},
		"503":               {status(503), "unknown_outcome", "server_error", 2},
		"503 with wait":     {status(503, "Retry-After", "7"), "server_error", "server_error", 4},
		"301":               {status(301, "Location", "/elsewhere"), "redirect", "redirect", 1},
		"307":               {status(307, "Location", "http://127.0.0.1:1/"), "redirect", "redirect", 1},
		"200 HTML":          {status(200, "Content-Type", "text/html"), "unknown_outcome", "network_sign_in", 2},
		"511":               {status(511), "network_sign_in", "network_sign_in", 1},
		"202":               {status(202), "ran_unreadable", "bad_answer", 2},
		"204":               {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "ran_unreadable", "bad_answer", 2},
		"broken JSON":       {ok("application/json", `{"id":9007199254740993,"result":`), "ran_unreadable", "bad_answer", 2},
		"batch":             {ok("application/json", `[`+answer+`]`), "ran_unreadable", "bad_answer", 2},
		"other id":          {ok("application/json", `{"id":9007199254740992,"result":1}`), "ran_unreadable", "bad_answer", 2},
		"null id result":    {ok("application/json", `{"id":null,"result":1}`), "ran_unreadable", "bad_answer", 2},
		"duplicate id":      {ok("application/json", `{"id":1,"id":9007199254740993,"result":1}`), "ran_unreadable", "bad_answer", 2},
		"too large JSON":    {ok("application/json", strings.Repeat(" ", 2000)), "too_large", "too_large", 1},
		"too large event":   {ok("text/event-stream", "data: "+strings.Repeat("x", 2000)+"\n\n"), "too_large", "too_large", 1},
		"stream of nothing": {ok("text/event-stream", ": hello\n\n"), "unknown_outcome", "interrupted", 2},
		"half an event":     {ok("text/event-stream", "data: "+answer+"\n"), "unknown_outcome", "interrupted", 2},
		"broken event":      {ok("text/event-stream", "data: {\n\n"), "ran_unreadable", "bad_answer", 2},
	} {
		for line, want := range map[string]remote.Kind{call: c.call, list: c.list} {
			r, e := failing(t, c.answer, line)
			sent := 1
			if line == list {
				sent = c.sent
			}
			if e.Kind != want || len(r) != sent {
				t.Errorf("%s: kind %q, want %q; %d requests, want %d", name, e.Kind, want, len(r), sent)
				continue
			}
			if e.RequestID != r[len(r)-1].Header.Get("X-Request-ID") || strings.Contains(e.Error(), "secret-server-text") {
				t.Errorf("%s: %s, request id %s", name, e, e.RequestID)
			}
			if strings.HasSuffix(name, "wait") != (e.RetryAfter == 7*time.Second) && !strings.HasPrefix(name, "429") {
				t.Errorf("%s: retry after %s", name, e.RetryAfter)
			}
		}
	}
}

// failing sends a line to a server that always answers so, in fake time.
func failing(t *testing.T, answer http.Handler, line string) (sent []*http.Request, e *remote.Error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rt := roundTripper(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, r)
			return served(answer, r), nil
		})
		got, err := do(t, client(t, "https://example.test/mcp", small, transport(rt)), line)
		if e = kindOf(t, err); len(got) != 0 {
			t.Errorf("delivered %v", got)
		}
	})
	return sent, e
}

// written tells what a transport tells when it has written a request.
func written(r *http.Request) {
	trace := httptrace.ContextClientTrace(r.Context())
	trace.WroteHeaders()
	trace.WroteRequest(httptrace.WroteRequestInfo{})
}

// served has a handler answer a request that was written.
func served(h http.Handler, r *http.Request) *http.Response {
	written(r)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func small(c *remote.Config) { c.Limits = remote.Limits{Idle: time.Minute, Answer: 1000} }

func TestDo_gzipBomb_cutAtTheLimit(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(`{"id":9007199254740993,"result":"` + strings.Repeat("a", 8<<20) + `"}`))
	_ = z.Close()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Encoding", "gzip")
		reply(w, b.String())
	})
	if _, err := do(t, client(t, s.URL, func(c *remote.Config) { c.Limits.Answer = 1 << 20 }), call); kindOf(t, err).Kind != remote.KindTooLarge {
		t.Error(err)
	}
	got, err := do(t, client(t, s.URL), call)
	if err != nil || len(got) != 1 || len(got[0]) < 8<<20 {
		t.Error("within the limit:", err)
	}
}

func TestDo_cutConnection_callIsUnknownReadIsNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bytes      string
		call, list remote.Kind
	}{
		"before the status": {"", "unknown_outcome", "interrupted"},
		"in the header":     {"HTTP/1.1 200 OK\r\nContent-", "unknown_outcome", "interrupted"},
		"in the JSON":       {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", "unknown_outcome", "interrupted"},
		"in a chunk":        {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata", "unknown_outcome", "interrupted"},
	} {
		url := raw(t, func(conn net.Conn, _ *http.Request) { _, _ = io.WriteString(conn, c.bytes) })
		for line, want := range map[string]remote.Kind{call: c.call, list: c.list} {
			_, err := do(t, client(t, url), line)
			e := kindOf(t, err)
			if e.Kind != want {
				t.Errorf("%s: %s, want %s", name, e.Kind, want)
			}
			if unknown := strings.Contains(e.Error(), "outcome unknown") && strings.Contains(e.Error(), e.RequestID); unknown != (want == "unknown_outcome") {
				t.Errorf("%s: %s", name, e)
			}
		}
	}
}

func TestDo_noConnection_nothingWasSent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	_, err = do(t, client(t, url), call)
	if e := kindOf(t, err); e.Kind != remote.KindUnreachable || e.Side() != "network" || strings.Contains(e.Error(), url) {
		t.Error(e)
	}
}

func TestDo_silentServer_givesUp(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if strings.Contains(body, "tools/list") {
			events(w, ": alive\n\n")
		}
		<-r.Context().Done()
	})
	quick := func(c *remote.Config) { c.Limits.Idle = 500 * time.Millisecond }
	_, err := do(t, client(t, s.URL, quick), call)
	if e := kindOf(t, err); e.Kind != remote.KindUnknownOutcome {
		t.Error(e)
	}
	_, err = do(t, client(t, s.URL, quick), list)
	if e := kindOf(t, err); e.Kind != remote.KindTimeout {
		t.Error(e)
	}
}

func TestDo_slowReader_isNotASilentServer(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		events(w, "data: {\"method\":\"notifications/progress\"}\n\n", "data: "+answer+"\n\n")
	})
	c := client(t, s.URL, func(c *remote.Config) { c.Limits.Idle = 100 * time.Millisecond })
	waited := false
	err := c.Do(t.Context(), message(t, call), remote.Hooks{Deliver: func(m jsonmsg.Message) {
		if m.Kind == jsonmsg.Notification {
			<-time.After(300 * time.Millisecond) // the host reads late, for longer than the limit
			waited = true
		}
	}})
	if err != nil || !waited {
		t.Error(err)
	}
}

func TestDo_cancelled_endsTheRequest(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(_ http.ResponseWriter, r *http.Request, _ string) {
		cancel() // not with Sent, which net/http tells before it flushes its buffer
		<-r.Context().Done()
		close(gone)
	})
	err := client(t, s.URL).Do(ctx, message(t, list), remote.Hooks{})
	if e := kindOf(t, err); e.Kind != remote.KindCancelled {
		t.Error(e)
	}
	<-gone
}

func TestDo_startSaysNo_nothingIsSent(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) { reply(w, answer) })
	err := client(t, s.URL).Do(t.Context(), message(t, call), remote.Hooks{Start: func(string) bool { return false }})
	if e := kindOf(t, err); e.Kind != remote.KindCancelled || len(s.requests()) != 0 {
		t.Error(e, len(s.requests()))
	}
}

func TestDo_notificationAndReply_accepted(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, body string) {
		if strings.Contains(body, "refuse") {
			w.WriteHeader(400)
			return
		}
		w.WriteHeader(202)
	})
	c := client(t, s.URL)
	for _, line := range []string{inited, `{"jsonrpc":"2.0","id":"srv","result":{}}`} {
		if got, err := do(t, c, line); err != nil || len(got) != 0 {
			t.Error(got, err)
		}
	}
	if _, err := do(t, c, `{"method":"notifications/refuse"}`); kindOf(t, err).Status != 400 {
		t.Error(err)
	}
}

// TestDo_GetBodyIsNil_wouldBeResentOtherwise guards the rule that net/http must
// not be able to send a POST again (RELAY section 6).
func TestDo_GetBodyIsNil_wouldBeResentOtherwise(t *testing.T) {
	t.Parallel()
	var got *http.Request
	rt := roundTripper(func(r *http.Request) (*http.Response, error) {
		got = r
		httptrace.ContextClientTrace(r.Context()).WroteHeaders()
		return nil, errors.New("cut")
	})
	c := client(t, "https://example.test/mcp", func(c *remote.Config) { c.HTTP = rt })
	_, err := do(t, c, call)
	if kindOf(t, err).Kind != remote.KindUnknownOutcome || got.GetBody != nil || got.Header.Get("Idempotency-Key") != "" {
		t.Errorf("%v; GetBody %v", err, got.GetBody != nil)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNew_badEndpoint_refused(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "mcp", "ftp://x/", "http://example.test/mcp", "https://u:p@example.test/", "https://example.test/#f", "https://", "://"} {
		if _, err := remote.New(remote.Config{Endpoint: u, HTTP: http.DefaultTransport}); err == nil || u != "" && strings.Contains(err.Error(), u) {
			t.Errorf("%q: %v", u, err)
		}
	}
	for _, u := range []string{"https://api.payu.in/mcp", "http://127.0.0.1:1/mcp", "http://[::1]:1/", "http://localhost/"} {
		if _, err := remote.New(remote.Config{Endpoint: u, HTTP: http.DefaultTransport}); err != nil {
			t.Errorf("%q: %v", u, err)
		}
	}
	if _, err := remote.New(remote.Config{Endpoint: "https://api.payu.in/mcp"}); err == nil {
		t.Error("no transport, no error")
	}
}

func TestDo_manyAtOnce_noneWaitsForAnother(t *testing.T) {
	t.Parallel()
	const n = 64
	all := make(chan struct{})
	arrived := make(chan struct{}, n)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, body string) {
		arrived <- struct{}{}
		<-all
		m, _ := jsonmsg.Scan([]byte(body))
		reply(w, fmt.Sprintf(`{"id":%s,"result":{}}`, m.ID))
	})
	c := client(t, s.URL)
	errs := make(chan error, n)
	for i := range n {
		m := message(t, fmt.Sprintf(`{"id":%d,"method":"tools/list"}`, i))
		go func() { errs <- c.Do(t.Context(), m, remote.Hooks{}) }()
	}
	for range n {
		<-arrived
	}
	close(all)
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
