package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

const sessionHeader = "Mcp-Session-Id"

// gateway is the state of the MCP endpoint. Its zero value is ready.
type gateway struct {
	mu        sync.Mutex
	sessions  map[string]bool // true: alive
	streams   []*stream
	answers   [][]byte
	running   map[callKey]context.CancelCauseFunc
	cancelled []Cancellation
	closed    bool
	states    map[string]askedFor // by requestState
	replays   map[string]*replay
	opened    int           // replays so far
	changed   chan struct{} // closed at the next change

	merchants merchants
	reports   reports
	links     links
}

// callKey names a running tools/call.
type callKey struct {
	grant int
	id    string
}

// Cancellation is a notifications/cancelled that came.
type Cancellation struct {
	// ID is the request's id as it was written.
	ID string
	// Running tells whether the request was being served.
	Running bool
}

// sessionFits answers requests whose session is not the right one, and says
// whether to go on. An initialize begins a session.
func (g *gateway) sessionFits(w http.ResponseWriter, r *http.Request, k MCPKnobs, m *message) bool {
	if !k.Sessions || m != nil && m.Method == "initialize" {
		return true
	}
	id := r.Header.Get(sessionHeader)
	g.mu.Lock()
	alive := g.sessions[id]
	g.mu.Unlock()
	switch {
	case alive:
		return true
	case id == "" || k.DroppedIs400:
		writeError(w, http.StatusBadRequest, codeServer, "Bad Request: No valid session ID provided")
	default:
		writeError(w, http.StatusNotFound, codeServer, "Session not found")
	}
	return false
}

func (s *Sandbox) newSession() string {
	id := s.newSecret(32)
	g := &s.gateway
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sessions == nil {
		g.sessions = map[string]bool{}
	}
	g.sessions[id] = true
	return id
}

// DropSessions ends all sessions, as a restart of the server does. Their streams
// end too.
func (s *Sandbox) DropSessions() {
	s.gateway.mu.Lock()
	clear(s.gateway.sessions)
	s.gateway.mu.Unlock()
	s.DropStreams()
}

// Sessions is the number of sessions that are alive.
func (s *Sandbox) Sessions() int {
	s.gateway.mu.Lock()
	defer s.gateway.mu.Unlock()
	return len(s.gateway.sessions)
}

// endSession is DELETE on the endpoint.
func (s *Sandbox) endSession(w http.ResponseWriter, r *http.Request, k MCPKnobs) {
	if !k.DeleteAllowed {
		notAllowed(w)
		return
	}
	if !s.gateway.sessionFits(w, r, k, nil) {
		return
	}
	s.gateway.mu.Lock()
	delete(s.gateway.sessions, r.Header.Get(sessionHeader))
	s.gateway.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

// answered keeps the host's answer to a request that was pushed.
func (g *gateway) answered(m *message) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers = append(g.answers, m.raw)
	g.wake()
}

// WaitForAnswer returns the first answer of the host, byte for byte, to the
// pushed request whose id is written as id: `7` or `"seven"`.
func (s *Sandbox) WaitForAnswer(ctx context.Context, id string) ([]byte, error) {
	g := &s.gateway
	for {
		g.mu.Lock()
		answers, changed := slices.Clone(g.answers), g.change()
		g.mu.Unlock()
		for _, raw := range answers {
			var m message
			if json.Unmarshal(raw, &m) == nil && string(m.ID) == id {
				return raw, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the host's answer: %w", ctx.Err())
		}
	}
}

// notified takes a notification; only cancelled means anything here.
func (g *gateway) notified(m *message, who caller) {
	if m.Method != "notifications/cancelled" {
		return
	}
	var p struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	_ = json.Unmarshal(m.Params, &p) // without an id it cancels nothing
	g.mu.Lock()
	defer g.mu.Unlock()
	id := strings.TrimSpace(string(p.RequestID))
	cancel := g.running[callKey{who.grant, id}]
	g.cancelled = append(g.cancelled, Cancellation{ID: id, Running: cancel != nil})
	if cancel != nil {
		cancel(errCancelled)
	}
	g.wake()
}

// Cancelled lists the cancellations that came, in order.
func (s *Sandbox) Cancelled() []Cancellation {
	s.gateway.mu.Lock()
	defer s.gateway.mu.Unlock()
	return slices.Clone(s.gateway.cancelled)
}

// change returns what the next wake closes; mu is held.
func (g *gateway) change() <-chan struct{} {
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return g.changed
}

// wake tells those who wait for a change; mu is held.
func (g *gateway) wake() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}
