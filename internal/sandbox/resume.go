package sandbox

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// replay is the stream of one POST that may be fetched again (MCP 2025-11-25,
// resumability).
type replay struct {
	id     string
	events [][]byte
	ended  bool
}

// record keeps an event and returns its id; a nil replay keeps nothing.
func (g *gateway) record(p *replay, raw []byte, last bool) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.events = append(p.events, raw)
	p.ended = p.ended || last
	g.wake()
	return p.id + "." + strconv.Itoa(len(p.events))
}

// finish ends a stream that gets no answer.
func (g *gateway) finish(p *replay) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.ended = true
	g.wake()
}

// newReplay opens a stream that is kept until a GET has fetched its end.
func (s *Sandbox) newReplay() *replay {
	g := &s.gateway
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.replays == nil {
		g.replays = map[string]*replay{}
	}
	g.opened++
	p := &replay{id: "s" + strconv.Itoa(g.opened)}
	g.replays[p.id] = p
	return p
}

// resume answers a GET with Last-Event-ID: what came after that event, until the
// stream has ended. It tells whether the request was one.
func (s *Sandbox) resume(w http.ResponseWriter, r *http.Request, k MCPKnobs) bool {
	last := r.Header.Get("Last-Event-Id")
	if !k.Resumable || last == "" {
		return false
	}
	if !s.gateway.sessionFits(w, r, k, nil) {
		return true
	}
	id, number, _ := strings.Cut(last, ".")
	n, err := strconv.Atoi(number)
	g := &s.gateway
	g.mu.Lock()
	p := g.replays[id]
	g.mu.Unlock()
	if p == nil || err != nil || n < 0 {
		writeError(w, http.StatusBadRequest, codeServer, "Bad Request: unknown event id")
		return true
	}
	startStream(w)
	flush(w)
	if g.replayFrom(r.Context(), w, p, n) {
		g.mu.Lock()
		delete(g.replays, id)
		g.mu.Unlock()
	}
	return true
}

// replayFrom writes the events after the first n and waits for more; true: all
// were written.
func (g *gateway) replayFrom(ctx context.Context, w http.ResponseWriter, p *replay, n int) bool {
	for {
		g.mu.Lock()
		events, ended, changed := p.events, p.ended, g.change()
		g.mu.Unlock()
		for ; n < len(events); n++ {
			writeEvent(w, true, p.id+"."+strconv.Itoa(n+1), events[n])
		}
		if ended {
			return ctx.Err() == nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// Resumable is the number of streams whose end nobody has fetched by a GET.
func (s *Sandbox) Resumable() int {
	s.gateway.mu.Lock()
	defer s.gateway.mu.Unlock()
	return len(s.gateway.replays)
}
