package bridge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	faults "github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
	"github.com/payu-mcp/payu-mcp/remote"
)

// stage is a host, a bridge, a line and a sandbox for one cell of the matrix.
type stage struct {
	t        *testing.T
	ctx      context.Context //nolint:containedctx // the time limit of one cell
	cell     cell
	sandbox  *sandbox.Sandbox
	injector faults.Injector
	line     *faults.Line
	host     *host
	answers  map[string]int // by id
	state    string         // the folder with the journal
	calls    *journal.Journal
	listed   bool // the host has got the server's own list: no other came first
}

const (
	cellLimit = time.Minute
	// silenceLimit is Limits.Idle where the cut is silence: long beside a busy
	// machine, short beside the test.
	silenceLimit = 8 * time.Second
)

func newStage(t *testing.T, c cell) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), cellLimit)
	t.Cleanup(cancel)
	s := &stage{t: t, ctx: ctx, cell: c, answers: map[string]int{}}
	o := sandbox.Options{TLS: c.HTTP2, HTTP2: c.HTTP2, Wrap: s.injector.Wrap}
	if c.SSE {
		o.Knobs.MCP.Answer = sandbox.AnswerSSE
	}
	if c.Modern {
		o.Knobs.MCP.Era = sandbox.EraModern
	}
	if c.cut.Knobs != nil {
		c.cut.Knobs(&o.Knobs.MCP)
	}
	var err error
	if s.sandbox, err = sandbox.Start(ctx, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.sandbox.Close() })
	if s.line, err = faults.NewLine(ctx, s.sandbox); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.line.Close() })
	// The era is known, as after a login: a busy machine must not make the probe slow.
	s.state, s.calls = newJournal(t)
	s.host = start(t, bridge.Config{Remote: s.upstream(), Era: era(s.era()), Journal: s.calls, JournalCommand: showUnknown})
	return s
}

// upstream is the remote side as the program wires it, but for the line.
func (s *stage) upstream() bridge.Upstream {
	s.t.Helper()
	over, ok := s.sandbox.HTTPClient().Transport.(*http.Transport)
	if !ok {
		s.t.Fatal("the sandbox has another transport")
	}
	over = over.Clone()
	over.DialContext = s.line.Dial
	s.t.Cleanup(over.CloseIdleConnections)
	limits := remote.Limits{}
	if s.cell.cut.Name == "silence" {
		limits.Idle = silenceLimit
	}
	up, err := remote.New(remote.Config{
		Endpoint: s.sandbox.Endpoint(), HTTP: over, Limits: limits, Era: s.era(),
		Authorizer: &keyring{sandbox: s.sandbox, token: redact.Secret(s.sandbox.IssueToken("A"))},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return up
}

func (s *stage) era() remote.Era {
	if s.cell.Modern {
		return remote.EraModern
	}
	return remote.EraLegacy
}

func (s *stage) scene(match func(faults.Request) bool) faults.Scene {
	return faults.Scene{Sandbox: s.sandbox, Injector: &s.injector, Line: s.line, Shape: s.cell.Shape, Match: match}
}

// handshake begins as hosts do, up to the list of tools, and ends when nothing
// is under way any more.
func (s *stage) handshake() {
	s.t.Helper()
	if s.cell.Modern {
		s.must("1", call{method: "server/discover"})
	} else {
		s.host.send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
		if r := s.wait("1"); r.verdict() != succeeds {
			s.t.Fatal(r.raw)
		}
		s.host.send(inited)
		s.logged(func(e sandbox.Entry) bool { return e.Method == http.MethodGet && e.Done })
	}
	s.listed = strings.Contains(s.must("2", call{method: "tools/list"}).raw, createTool)
	s.logged(func(e sandbox.Entry) bool { return e.ID == "2" && e.Done })
}

func (s *stage) logged(match func(sandbox.Entry) bool) {
	s.t.Helper()
	if _, err := s.sandbox.Log().WaitFor(s.ctx, match); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) must(id string, c call) reply {
	s.t.Helper()
	r := s.ask(id, c)
	if r.verdict() != succeeds {
		s.t.Fatal(r.raw)
	}
	return r
}

// ask sends a request in the way of the era and waits for its answer.
func (s *stage) ask(id string, c call) reply {
	s.t.Helper()
	params := c.params
	if s.cell.Modern {
		params = strings.TrimPrefix(params+`,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`, ",")
	}
	s.host.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":{%s}}`, id, c.method, params))
	return s.wait(id)
}

// wait returns the answer to a request; what else comes is only counted.
func (s *stage) wait(id string) reply {
	s.t.Helper()
	for {
		select {
		case line, ok := <-s.host.lines:
			if !ok {
				s.t.Fatal("the bridge closed its output")
			}
			if r := s.take(line); string(r.ID) == id && r.Method == "" {
				return r
			}
		case <-s.ctx.Done():
			s.t.Fatalf("no answer to %s", id)
		}
	}
}

func (s *stage) take(line string) reply {
	s.t.Helper()
	r := reply{raw: line}
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		s.t.Fatalf("%q on stdout: %v", line, err)
	}
	if r.Method == "" {
		s.answers[string(r.ID)]++
	}
	return r
}

// end closes the host's side, after which no request may have two answers.
func (s *stage) end() {
	s.t.Helper()
	_, rest := s.host.eof()
	for _, line := range rest {
		s.take(line)
	}
	for _, id := range []string{"1", "2", "100", "101"} {
		if s.answers[id] != 1 {
			s.t.Errorf("request %s got %d answers", id, s.answers[id])
		}
		delete(s.answers, id)
	}
	if len(s.answers) != 0 {
		s.t.Errorf("answers that nobody asked for: %v", s.answers)
	}
}

// keyring hands out another token of the sandbox after each 401.
type keyring struct {
	sandbox *sandbox.Sandbox

	mu    sync.Mutex
	token redact.Secret
}

func (k *keyring) Token(context.Context) (redact.Secret, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.token, nil
}

func (k *keyring) Grant(context.Context, redact.Secret) string { return "" }

func (k *keyring) Rejected(_ context.Context, token redact.Secret, _ []string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if token == k.token {
		k.token = redact.Secret(k.sandbox.IssueToken("A"))
	}
	return nil
}
