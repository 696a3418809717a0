package sandbox

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
)

// refusal is an error answer that has a status of its own.
type refusal struct {
	status, code int
	text         string
	data         any // nil: none
}

func mismatch(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, codeHeader, "Header mismatch: " + fmt.Sprintf(format, args...), nil}
}

func (f *refusal) write(w http.ResponseWriter, id string) {
	raw := failure(id, f.code, f.text)
	if f.data != nil {
		raw = fmt.Appendf(bytes.TrimSuffix(raw, []byte("}}")), `,"data":%s}}`, marshal(f.data))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = w.Write(raw)
}

// postModern serves one POST as MCP 2026-07-28 says: nothing is remembered
// between requests, session headers mean nothing, and a client that closes its
// stream has cancelled.
func (s *Sandbox) postModern(w http.ResponseWriter, r *http.Request, k MCPKnobs, who caller, m *message) {
	switch {
	case m.Method == "":
		writeError(w, http.StatusBadRequest, codeInvalid, "Invalid Request: a client sends no responses")
		return
	case m.ID == nil:
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if f := modernFlaw(r, k, m); f != nil {
		f.write(w, string(m.ID))
		return
	}
	out := &responder{w: w, form: k.Answer, mayStream: mayStream(r), modern: true}
	if out.form == AnswerRichSSE { // no ids: a stream cannot be resumed
		out.form = AnswerSSE
	}
	s.requestModern(r, out, k, who, m)
}

func mayStream(r *http.Request) bool {
	return strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/event-stream")
}

func (s *Sandbox) requestModern(r *http.Request, out *responder, k MCPKnobs, who caller, m *message) {
	switch m.Method {
	case "server/discover":
		out.result(m.ID, discoverResult(k))
	case "tools/list":
		s.listTools(out, k, m)
	case "tools/call":
		if f := paramsFlaw(r, k, m); f != nil {
			f.write(out.w, string(m.ID))
			return
		}
		s.callTool(r.Context(), out, k, who, m)
	case "subscriptions/listen":
		s.subscribe(r.Context(), out, m)
	default:
		(&refusal{status: http.StatusNotFound, code: codeMethod, text: "Method not found"}).write(out.w, string(m.ID))
	}
}

// modernFlaw checks what every request must carry, headers before the body that
// they mirror.
func modernFlaw(r *http.Request, k MCPKnobs, m *message) *refusal {
	if m.Method == "initialize" {
		var p struct {
			Version string `json:"protocolVersion"`
		}
		_ = json.Unmarshal(m.Params, &p) // without a version it is refused too
		return unsupported(k, p.Version)
	}
	header, has := r.Header.Get(versionHeader), m.meta()
	switch {
	case header == "":
		return mismatch("MCP-Protocol-Version is missing")
	case has.version == nil:
		return &refusal{http.StatusBadRequest, codeParams, "Invalid params: _meta lacks " + metaVersion, nil}
	case has.capabilities == nil:
		return &refusal{http.StatusBadRequest, codeParams, "Invalid params: _meta lacks " + metaCapabilities, nil}
	case header != *has.version:
		return mismatch("MCP-Protocol-Version %q does not match _meta %q", header, *has.version)
	case !slices.Contains(k.modernVersions(), header):
		return unsupported(k, header)
	case r.Header.Get("Mcp-Method") != m.Method:
		return mismatch("Mcp-Method %q does not match the method %q", r.Header.Get("Mcp-Method"), m.Method)
	}
	return nameFlaw(r, m)
}

func unsupported(k MCPKnobs, requested string) *refusal {
	supported := k.modernVersions()
	if k.Era == EraDual {
		supported = slices.Concat(k.versions(), supported)
	}
	return &refusal{
		http.StatusBadRequest, codeVersion, "Unsupported protocol version",
		map[string]any{"supported": supported, "requested": requested},
	}
}

// nameFlaw checks Mcp-Name where a request has a name or an address.
func nameFlaw(r *http.Request, m *message) *refusal {
	var p struct {
		Name string `json:"name"`
		URI  string `json:"uri"`
	}
	_ = json.Unmarshal(m.Params, &p) // what is missing is ""
	want := p.Name
	switch m.Method {
	case "tools/call", "prompts/get":
	case "resources/read":
		want = p.URI
	default:
		return nil
	}
	values := r.Header.Values("Mcp-Name")
	if len(values) != 1 {
		return mismatch("there are %d of Mcp-Name", len(values))
	}
	got, ok := headerValue(values[0])
	if !ok || got != want {
		return mismatch("Mcp-Name %q does not match the body's %q", values[0], want)
	}
	return nil
}

// headerValue decodes the Base64 sentinel and refuses what may not stand in a
// header as it is.
func headerValue(v string) (string, bool) {
	if code, ok := strings.CutPrefix(v, "=?base64?"); ok {
		if code, ok = strings.CutSuffix(code, "?="); ok {
			raw, err := base64.StdEncoding.DecodeString(code)
			return string(raw), err == nil
		}
	}
	plain := !strings.ContainsFunc(v, func(c rune) bool { return c != '\t' && (c < 0x20 || c > 0x7e) })
	return v, plain
}

func discoverResult(k MCPKnobs) []byte {
	return marshal(map[string]any{
		"supportedVersions": k.modernVersions(),
		"capabilities":      map[string]any{"tools": map[string]any{"listChanged": true}},
		"instructions":      instructions,
		"ttlMs":             0, "cacheScope": "private",
		"_meta": map[string]any{metaServer: serverInfo()},
	})
}

func serverInfo() map[string]any {
	return map[string]any{"name": "payu-sandbox", "title": "PayU sandbox", "version": buildinfo.Version()}
}

// completed marks a result as whole, unless it says itself what it is.
func completed(body []byte) []byte {
	if bytes.HasPrefix(body, []byte(`{"resultType"`)) {
		return body
	}
	if bytes.Equal(body, []byte("{}")) {
		return []byte(`{"resultType":"complete"}`)
	}
	return append([]byte(`{"resultType":"complete",`), body[1:]...)
}

// modernContext ends a call when its client goes away: in the modern era that
// is how one cancels. It is entered in the list of cancellations.
func (g *gateway) modernContext(client context.Context, id string, cancel context.CancelCauseFunc) (stop func()) {
	undo := context.AfterFunc(client, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.closed {
			g.cancelled = append(g.cancelled, Cancellation{ID: id, Running: true})
			cancel(errCancelled)
		}
		g.wake()
	})
	return func() { undo() }
}
