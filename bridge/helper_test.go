package bridge_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	fakeRequestID = "11111111-2222-4333-8444-555555555555"

	initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`
	inited     = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
)

// fake is an Upstream that a test scripts: on is called for each message, in
// the goroutine of its Do.
type fake struct {
	on     func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error
	listen func(ctx context.Context, deliver func(jsonmsg.Message))

	mu     sync.Mutex
	got    []string
	closed int
}

// Do implements bridge.Upstream, with the hooks as remote calls them.
func (f *fake) Do(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
	if h.Start != nil && !h.Start(fakeRequestID) {
		return &remote.Error{Kind: remote.KindCancelled}
	}
	f.mu.Lock()
	f.got = append(f.got, string(m.Raw))
	f.mu.Unlock()
	if f.on == nil {
		return echo(ctx, m, h)
	}
	return f.on(ctx, m, h)
}

func (f *fake) Listen(ctx context.Context, deliver func(jsonmsg.Message)) {
	if f.listen != nil {
		f.listen(ctx, deliver)
	}
}

func (f *fake) Close(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

func (f *fake) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.got...)
}

// echo answers a request with its own id.
func echo(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
	if h.Sent != nil {
		h.Sent()
	}
	if m.Kind == jsonmsg.Request && h.Deliver != nil {
		h.Deliver(scan(result(m)))
	}
	return nil
}

func result(m jsonmsg.Message) string { return fmt.Sprintf(`{"id":%s,"result":{}}`, m.ID) }

func scan(line string) jsonmsg.Message {
	m, err := jsonmsg.Scan([]byte(line))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", line, err))
	}
	return m
}

// host plays the program that started the bridge.
type host struct {
	t      testing.TB
	in     *io.PipeWriter
	lines  chan string
	ended  chan error // what Run returned
	cancel context.CancelFunc
}

// start runs a bridge until the test ends.
func start(t testing.TB, c bridge.Config) *host {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	h := &host{t: t, in: inW, lines: make(chan string, 5000), ended: make(chan error, 1), cancel: cancel}
	c.In, c.Out = inR, outW
	go func() {
		err := bridge.Run(ctx, c)
		outW.Close()
		h.ended <- err
	}()
	go func() {
		defer close(h.lines)
		s := bufio.NewScanner(outR)
		s.Buffer(nil, 128<<20)
		for s.Scan() {
			h.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		h.in.Close()
		cancel()
		for range h.lines {
		}
	})
	return h
}

func (h *host) send(lines ...string) {
	h.t.Helper()
	for _, l := range lines {
		if _, err := io.WriteString(h.in, l+"\n"); err != nil {
			h.t.Fatal(err)
		}
	}
}

// next returns the next line to the host, which must be JSON.
func (h *host) next() string {
	h.t.Helper()
	l, ok := <-h.lines
	if !ok {
		h.t.Fatal("the bridge closed its output")
	}
	if !json.Valid([]byte(l)) {
		h.t.Fatalf("%q is not JSON", l)
	}
	return l
}

// expect fails unless these are the next lines, in order.
func (h *host) expect(lines ...string) {
	h.t.Helper()
	for _, want := range lines {
		if got := h.next(); got != want {
			h.t.Fatalf("got %s\nwant %s", got, want)
		}
	}
}

// fault is an error answer of ours.
type fault struct {
	ID    json.RawMessage
	Error struct {
		Code    int
		Message string
		Data    struct {
			Source, Kind, Side, Hint, RequestID string
			Status, RetryAfter                  int
		}
	}
}

func (f fault) id() string {
	if f.ID == nil {
		return "null" // encoding/json leaves out a null
	}
	return string(f.ID)
}

func (h *host) nextFault() fault {
	h.t.Helper()
	var f fault
	if l := h.next(); json.Unmarshal([]byte(l), &f) != nil || f.Error.Data.Source != "payu-mcp" {
		h.t.Fatalf("%s is no error of ours", l)
	}
	return f
}

// eof closes the host's side and returns how long the bridge took to end, and
// the lines that still came.
func (h *host) eof() (took time.Duration, rest []string) {
	h.t.Helper()
	since := time.Now()
	h.in.Close()
	if err := <-h.ended; err != nil {
		h.t.Errorf("Run: %v", err)
	}
	took = time.Since(since)
	for l := range h.lines {
		rest = append(rest, l)
	}
	return took, rest
}

// TestMain fails the run if a goroutine of the package outlives the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	deadline := time.Now().Add(5 * time.Second)
	buf := make([]byte, 1<<20)
	for {
		stacks := string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "payu-mcp/bridge.") && !strings.Contains(stacks, "payu-mcp/remote.") {
			os.Exit(code)
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", stacks)
			os.Exit(1)
		}
		runtime.Gosched()
	}
}

var errAny = errors.New("any")
