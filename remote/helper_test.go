package remote_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	call       = `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"pay","arguments":{"amount":1.0}}}`
	list       = `{"jsonrpc":"2.0","id":"l\u00e9","method":"tools/list"}`
	initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`
	inited     = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	answer     = `{"jsonrpc":"2.0","id":9007199254740993,"result":{"x":1.0}}`
)

// seen is one request as the server met it.
type seen struct {
	method      string
	path, query string
	header      http.Header
	body        string
}

// wire is a server whose answers a test writes by hand, and what it saw.
type wire struct {
	*httptest.Server

	mu   sync.Mutex
	got  []seen
	more chan struct{} // closed with the next request
}

func serve(t *testing.T, h func(w http.ResponseWriter, r *http.Request, body string)) *wire {
	t.Helper()
	s := &wire{more: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.got = append(s.got, seen{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), string(b)})
		close(s.more)
		s.more = make(chan struct{})
		s.mu.Unlock()
		h(w, r, string(b))
	}))
	t.Cleanup(s.Close)
	return s
}

// waitFor returns when a request has come that match accepts.
func (s *wire) waitFor(t *testing.T, match func(seen) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		s.mu.Lock()
		found, more := slices.ContainsFunc(s.got, match), s.more
		s.mu.Unlock()
		if found {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			t.Fatal("the request does not come")
		}
	}
}

func (s *wire) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.got...)
}

// raw accepts one connection after the other and lets the test write bytes.
func raw(t *testing.T, h func(c net.Conn, r *http.Request)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var g sync.WaitGroup
	g.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.Go(func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.ReadAll(r.Body)
				h(c, r)
			})
		}
	})
	t.Cleanup(func() { l.Close(); g.Wait() })
	return "http://" + l.Addr().String()
}

func client(t *testing.T, url string, change ...func(*remote.Config)) *remote.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	c := remote.Config{Endpoint: url, HTTP: tr}
	for _, f := range change {
		f(&c)
	}
	r, err := remote.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func message(t testing.TB, line string) jsonmsg.Message {
	t.Helper()
	m, err := jsonmsg.Scan([]byte(line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return m
}

// do sends a line and returns what came back.
func do(t *testing.T, c *remote.Client, line string) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	err := c.Do(ctx, message(t, line), remote.Hooks{Deliver: func(m jsonmsg.Message) { got = append(got, string(m.Raw)) }})
	return got, err
}

func kindOf(t *testing.T, err error) *remote.Error {
	t.Helper()
	e, ok := errors.AsType[*remote.Error](err)
	if !ok {
		t.Fatalf("error %v is no *remote.Error", err)
	}
	return e
}

func reply(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

func events(w http.ResponseWriter, parts ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, p := range parts {
		_, _ = io.WriteString(w, p)
		w.(http.Flusher).Flush()
	}
}

// tokens is an Authorizer that hands out a list of tokens, the next after each
// rejection, and then says why there is none.
type tokens struct {
	mu       sync.Mutex
	list     []redact.Secret
	rejected []string
	headers  []string
	tokenErr error
	grants   map[redact.Secret]string
}

func (a *tokens) Grant(_ context.Context, token redact.Secret) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.grants[token]
}

var errNobody = errors.New("nobody is signed in")

func (a *tokens) Token(context.Context) (redact.Secret, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tokenErr != nil || len(a.list) == 0 {
		return "", a.tokenErr
	}
	return a.list[0], nil
}

func (a *tokens) Rejected(_ context.Context, token redact.Secret, challenges []string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rejected = append(a.rejected, token.Reveal())
	a.headers = append(a.headers, challenges...)
	if len(a.list) < 2 {
		return errNobody
	}
	a.list = a.list[1:]
	return nil
}

func (a *tokens) rejections() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.rejected, ",")
}

// TestMain fails the run if a goroutine of the package outlives the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	deadline := time.Now().Add(5 * time.Second)
	buf := make([]byte, 1<<20)
	for {
		stacks := string(buf[:runtime.Stack(buf, true)])
		// The stack of this goroutine names the test package, not the package.
		if !strings.Contains(stacks, "payu-mcp/remote.") && !strings.Contains(stacks, "net/http.(*persistConn)") {
			os.Exit(code)
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", stacks)
			os.Exit(1)
		}
		runtime.Gosched()
	}
}
