package translate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/translate"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"elicitation":{},"roots":{"listChanged":true},"sampling":{},"tasks":{}},"clientInfo":{"name":"host","version":"1.0","x":1e2}}}`
	discovered = `{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true,"z":1.0},"logging":{},"x":{}},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"2","icons":[]}},"instructions":"do \u00e9","ttlMs":1,"cacheScope":"public"}}`

	// meta is what each request carries for the host of initialize.
	meta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"host","version":"1.0","x":1e2},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"roots":{},"sampling":{}}`
)

// fake is an upstream that a test scripts: on is called for each message in the
// goroutine of its Do, and may answer with answer.
type fake struct {
	on     func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error
	listen func(ctx context.Context)

	mu     sync.Mutex
	got    []string
	closed int
}

func (f *fake) Do(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
	if h.Start != nil && !h.Start("r") {
		return &remote.Error{Kind: remote.KindCancelled}
	}
	f.mu.Lock()
	f.got = append(f.got, string(m.Raw))
	f.mu.Unlock()
	if h.Sent != nil {
		h.Sent()
	}
	return f.on(ctx, m, h)
}

func (f *fake) Listen(ctx context.Context, _ func(jsonmsg.Message)) { f.listen(ctx) }

func (f *fake) Close(context.Context) error {
	f.closed++
	return nil
}

func (f *fake) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.got...)
}

// answer delivers a message; %s in it is the id of the request.
func answer(m jsonmsg.Message, h remote.Hooks, line string) error {
	if strings.Contains(line, "%s") {
		line = fmt.Sprintf(line, m.ID)
	}
	h.Deliver(scan(line))
	return nil
}

// modern is a script: discover as above, everything else by then.
func modern(then func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error) func(context.Context, jsonmsg.Message, remote.Hooks) error {
	return func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		switch {
		case m.Method == "server/discover":
			return answer(m, h, discovered)
		case then == nil:
			return answer(m, h, `{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete"}}`)
		}
		return then(ctx, m, h)
	}
}

func scan(line string) jsonmsg.Message {
	m, err := jsonmsg.Scan([]byte(line))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", line, err))
	}
	return m
}

// era makes what New wants to know.
func era(e remote.Era) func() remote.Era { return func() remote.Era { return e } }

// host is the host's side of a translator.
type host struct {
	t     *testing.T
	tr    *translate.Translator
	lines chan string // what was delivered, of all requests
}

// open returns a host that has been initialized with a modern server.
func open(t *testing.T, up *fake) *host {
	t.Helper()
	h := &host{t: t, tr: translate.New(up, era(remote.EraModern), nil), lines: make(chan string, 1000)}
	if err := h.do(t.Context(), initialize); err != nil {
		t.Fatal(err)
	}
	if got := <-h.lines; !strings.Contains(got, `"result":{"protocolVersion"`) {
		t.Fatalf("initialize: %s", got)
	}
	return h
}

func (h *host) do(ctx context.Context, line string) error {
	return h.tr.Do(ctx, scan(line), remote.Hooks{
		Start:   func(string) bool { return ctx.Err() == nil },
		Deliver: func(m jsonmsg.Message) { h.lines <- string(m.Raw) },
	})
}

// ask sends a request and returns the one line that it brings.
func (h *host) ask(line string) string {
	h.t.Helper()
	if err := h.do(h.t.Context(), line); err != nil {
		h.t.Fatalf("%s: %v", line, err)
	}
	select {
	case got := <-h.lines:
		return got
	default:
		h.t.Fatalf("%s: no answer", line)
		return ""
	}
}

// fault is an error answer of ours.
type fault struct {
	ID    json.RawMessage
	Error struct {
		Code    int
		Message string
		Data    struct{ Source, Kind string }
	}
}

func faultOf(t *testing.T, line string) fault {
	t.Helper()
	var f fault
	if err := json.Unmarshal([]byte(line), &f); err != nil || f.Error.Data.Source != "payu-mcp" {
		t.Fatalf("%s is no error of ours", line)
	}
	return f
}

// TestMain fails the run if a goroutine of the package outlives the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	deadline := time.Now().Add(5 * time.Second)
	buf := make([]byte, 1<<20)
	for {
		stacks := string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "payu-mcp/bridge.") && !strings.Contains(stacks, "payu-mcp/bridge/translate.") && !strings.Contains(stacks, "payu-mcp/remote.") {
			os.Exit(code)
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", stacks)
			os.Exit(1)
		}
		runtime.Gosched()
	}
}
