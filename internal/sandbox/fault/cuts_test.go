package fault_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

const createTool = "payLinks_paymentLink_create"

// Each cut happens once, to the request that it is meant for, and says the
// truth about whether that has run.
func TestCuts_plainClient_happenOnceAndTellTheTruth(t *testing.T) {
	t.Parallel()
	for _, cut := range fault.Cuts() {
		for i := range 8 {
			shape := fault.Shape{HTTP2: i&1 != 0, SSE: i&2 != 0, Modern: i&4 != 0}
			if !cut.Fits(shape) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%+v", cut.Name, shape), func(t *testing.T) {
				t.Parallel()
				p := newPlain(t, cut, shape)
				p.works("first")
				fired, err := cut.Arm(t.Context(), p.scene)
				if err != nil {
					t.Fatal(err)
				}
				limit := time.Minute
				if cut.Name == "silence" {
					limit = 100 * time.Millisecond
				}
				_, _ = p.call("cut", limit) // most end in an error
				if fired() != 1 {
					t.Errorf("it happened %d times", fired())
				}
				// What the client can know of is for the relay to repair: here the
				// idle connection alone needs no repair.
				want := map[bool]int{true: 1}[cut.Ran == fault.RanYes || cut.Row == "R2"]
				if n := p.scene.Sandbox.Executions(createTool, "cut"); n != want {
					t.Errorf("ran %d times, want %d", n, want)
				}
				p.begin()
				p.works("last")
			})
		}
	}
}

// plain is a client that repairs nothing.
type plain struct {
	t       *testing.T
	scene   fault.Scene
	http    *http.Client
	token   string
	session string
}

func newPlain(t *testing.T, cut fault.Cut, shape fault.Shape) *plain {
	t.Helper()
	o := sandbox.Options{TLS: shape.HTTP2, HTTP2: shape.HTTP2}
	if shape.SSE {
		o.Knobs.MCP.Answer = sandbox.AnswerSSE
	}
	if shape.Modern {
		o.Knobs.MCP.Era = sandbox.EraModern
	}
	if cut.Knobs != nil {
		cut.Knobs(&o.Knobs.MCP)
	}
	sb, in := start(t, o)
	line, err := fault.NewLine(t.Context(), sb)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	over, ok := sb.HTTPClient().Transport.(*http.Transport)
	if !ok {
		t.Fatal("no transport")
	}
	over = over.Clone()
	over.DialContext = line.Dial
	t.Cleanup(over.CloseIdleConnections)
	p := &plain{t: t, http: &http.Client{Transport: over}, token: sb.IssueToken("A")}
	p.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	match := func(r fault.Request) bool { return r.Tool == createTool }
	p.scene = fault.Scene{Sandbox: sb, Injector: in, Line: line, Shape: shape, Match: match}
	p.begin()
	return p
}

// begin begins a session, where there are any.
func (p *plain) begin() {
	p.t.Helper()
	if p.scene.Sandbox.Knobs().MCP.Sessions {
		header, _, err := p.post(p.t.Context(), "initialize", "")
		if err != nil {
			p.t.Fatal(err)
		}
		p.session = header.Get("Mcp-Session-Id")
	}
}

func (p *plain) works(invoice string) {
	p.t.Helper()
	if got, err := p.call(invoice, time.Minute); err != nil || !strings.Contains(got, "paymentLink generated") {
		p.t.Errorf("%s: %q, %v", invoice, got, err)
	}
}

func (p *plain) call(invoice string, limit time.Duration) (string, error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), limit)
	defer cancel()
	_, body, err := p.post(ctx, "tools/call", `"name":"`+createTool+`","arguments":{"invoiceNumber":"`+invoice+`","amount":1},`)
	return body, err
}

func (p *plain) post(ctx context.Context, method, params string) (http.Header, string, error) {
	p.t.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":{%s"x":0}}`, method, params)
	if p.scene.Shape.Modern {
		body = strings.Replace(body, `"x":0`, `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`, 1)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.scene.Sandbox.Endpoint(), strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.GetBody = nil // net/http would repair some cuts by itself
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Authorization", "Bearer "+p.token)
	if p.session != "" && method != "initialize" {
		r.Header.Set("Mcp-Session-Id", p.session)
	}
	if p.scene.Shape.Modern {
		r.Header.Set("MCP-Protocol-Version", "2026-07-28")
		r.Header.Set("Mcp-Method", method)
		r.Header.Set("Mcp-Name", createTool)
	}
	resp, err := p.http.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.Header, string(raw), err
}
