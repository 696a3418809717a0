package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Causes of a call's end.
var (
	errCancelled = errors.New("cancelled by the host")
	errClosed    = errors.New("the sandbox is closed")
)

// request serves one JSON-RPC request.
func (s *Sandbox) request(ctx context.Context, out *responder, k MCPKnobs, who caller, m *message) {
	switch m.Method {
	case "initialize":
		if k.Sessions {
			out.w.Header().Set(sessionHeader, s.newSession())
		}
		out.result(m.ID, initializeResult(k, m.Params))
	case "ping":
		out.result(m.ID, []byte("{}"))
	case "tools/list":
		s.listTools(out, k, m)
	case "tools/call":
		s.callTool(ctx, out, k, who, m)
	default:
		out.final(http.StatusOK, failure(string(m.ID), codeMethod, "Method not found"))
	}
}

const instructions = "A stand-in for PayU on this computer. Select a merchant account before you use reports or payment links."

func initializeResult(k MCPKnobs, params json.RawMessage) []byte {
	var p struct {
		Version string `json:"protocolVersion"`
	}
	_ = json.Unmarshal(params, &p) // without a version it gets the newest
	versions := k.versions()
	version := versions[len(versions)-1]
	if slices.Contains(versions, p.Version) {
		version = p.Version
	}
	return marshal(map[string]any{
		"protocolVersion": version,
		"capabilities":    map[string]any{"tools": map[string]any{"listChanged": k.Get == GetStream}},
		"serverInfo":      serverInfo(),
		"instructions":    instructions,
	})
}

// call is one running tools/call.
type call struct {
	who       caller
	name      string
	arguments json.RawMessage
	merchant  Merchant // selected, for the tools that need one
	progress  func(done, total int, text string)
	knobs     MCPKnobs

	out          *responder
	inputs       inputs
	capabilities map[string]json.RawMessage // of a modern client
}

// outcome is what a tool gives: a text, or raw bytes of a result, or an error.
type outcome struct {
	text    string
	isError bool
	raw     []byte
	err     *rpcError
	refused *refusal // err with a status and data of its own
}

func (o outcome) body() []byte {
	if o.raw != nil {
		return o.raw
	}
	if o.isError {
		return fmt.Appendf(nil, `{"content":[{"type":"text","text":%s}],"isError":true}`, quoted(o.text))
	}
	return fmt.Appendf(nil, `{"content":[{"type":"text","text":%s}]}`, quoted(o.text)) // PAYU P19
}

func (s *Sandbox) callTool(ctx context.Context, out *responder, k MCPKnobs, who caller, m *message) {
	var p struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Meta      struct {
			ProgressToken json.RawMessage `json:"progressToken"`
		} `json:"_meta"`
		inputs
	}
	if err := json.Unmarshal(m.Params, &p); err != nil || p.Name == "" {
		out.final(http.StatusOK, failure(string(m.ID), codeParams, "Invalid params"))
		return
	}
	t, known := findTool(k.Tools, p.Name)
	if !known {
		out.final(unknownToolStatus(k), failure(string(m.ID), codeMethod, "Tool doesn't exist: "+p.Name))
		return
	}
	ctx, done := s.gateway.begin(ctx, callKey{who.grant, string(m.ID)}, out.modern)
	defer done()
	c := &call{
		who: who, name: p.Name, arguments: p.Arguments, knobs: k, progress: func(int, int, string) {},
		out: out, inputs: p.inputs, capabilities: m.meta().capabilities,
	}
	if p.Meta.ProgressToken != nil {
		c.progress = func(n, total int, text string) {
			out.notify(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"total":%d,"message":%s}}`,
				p.Meta.ProgressToken, n, total, quoted(text)))
		}
	}
	o := s.run(ctx, t, c)
	switch {
	case errors.Is(context.Cause(ctx), errCancelled):
		out.silent()
	case ctx.Err() != nil: // closed: there is nobody to tell
	case o.refused != nil:
		o.refused.write(out.w, string(m.ID))
	case o.err != nil:
		out.final(http.StatusOK, failure(string(m.ID), o.err.code, o.err.message))
	default:
		out.result(m.ID, o.body())
	}
}

func unknownToolStatus(k MCPKnobs) int {
	if k.UnknownTool404 {
		return http.StatusNotFound
	}
	return http.StatusOK
}

// begin enters a call, so that it can be cancelled, until done.
func (g *gateway) begin(client context.Context, key callKey, modern bool) (_ context.Context, done func()) {
	// In the legacy era a disconnect is not a cancel (RELAY H9): only the host's
	// notification and Close end a call.
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(client))
	stop := func() {}
	if modern {
		stop = g.modernContext(client, key.id, cancel)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		cancel(errClosed)
	}
	if g.running == nil {
		g.running = map[callKey]context.CancelCauseFunc{}
	}
	g.running[key] = cancel
	return ctx, func() {
		stop()
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.running, key)
		cancel(nil)
	}
}

// close ends the running calls, and later ones as they begin.
func (g *gateway) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, cancel := range g.running {
		cancel(errClosed)
	}
}

// run selects the merchant, where the tool needs one, and runs the tool.
func (s *Sandbox) run(ctx context.Context, t tool, c *call) outcome {
	if t.needsMerchant {
		m, selected := s.gateway.merchants.selected(s.merchantKey(c), c.who.user, s.now())
		if !selected {
			return c.knobs.Merchant.ask()
		}
		c.merchant = m
	}
	return t.run(ctx, s, c)
}
