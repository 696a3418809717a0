package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// responder answers one POST, as JSON or as an event stream.
type responder struct {
	w         http.ResponseWriter
	form      PostAnswer
	mayStream bool // the client accepts event streams
	modern    bool
	gateway   *gateway // with replay
	replay    *replay  // nil: the stream cannot be resumed

	mu      sync.Mutex
	started bool
	events  int
}

// notify sends a message ahead of the answer. A client that takes no streams
// goes without.
func (o *responder) notify(raw []byte) {
	if o.mayStream {
		o.event(raw, false)
	}
}

// result sends the result of a request.
func (o *responder) result(id json.RawMessage, body []byte) {
	if o.modern {
		body = completed(body)
	}
	o.final(http.StatusOK, result(id, body))
}

// final sends the answer.
func (o *responder) final(status int, raw []byte) {
	o.mu.Lock()
	streaming := o.started
	o.mu.Unlock()
	if streaming || o.mayStream && o.form != AnswerJSON && status == http.StatusOK {
		o.event(raw, true)
		return
	}
	o.w.Header().Set("Content-Type", "application/json")
	o.w.WriteHeader(status)
	_, _ = o.w.Write(raw)
}

// silent ends the answer of a cancelled request, which gets none.
func (o *responder) silent() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mayStream {
		o.start()
		return
	}
	o.w.WriteHeader(http.StatusAccepted)
}

func (o *responder) event(raw []byte, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.start()
	o.events++
	id := ""
	if o.form == AnswerRichSSE {
		id = strconv.Itoa(o.events)
	}
	if o.replay != nil {
		id = o.gateway.record(o.replay, raw, last)
	}
	writeEvent(o.w, o.form == AnswerRichSSE, id, raw)
}

// start sends the headers once; mu is held.
func (o *responder) start() {
	if o.started {
		return
	}
	o.started = true
	startStream(o.w)
	if o.form == AnswerRichSSE {
		// The priming event of MCP 2025-11-25: an id and empty data.
		first := "0"
		if o.replay != nil {
			first = o.replay.id + ".0"
		}
		_, _ = fmt.Fprintf(o.w, "id: %s\nretry: 500\ndata:\n\n", first)
	}
	flush(o.w)
}

func startStream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache, no-transform")
	w.WriteHeader(http.StatusOK)
}

// writeEvent writes one event. Rich ones carry all that a reader must know to
// skip or join (RELAY H19).
func writeEvent(w http.ResponseWriter, rich bool, id string, raw []byte) {
	var b bytes.Buffer
	if rich {
		b.WriteString(": a comment\n:\nretry: 500\nunknown\n")
	}
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("event: message\n")
	// A newline may stand for white space after the first brace; data lines are
	// joined by one.
	if first, rest, ok := bytes.Cut(raw, []byte("{")); rich && ok && len(first) == 0 {
		b.WriteString("data: {\n")
		raw = rest
	}
	b.WriteString("data: ")
	b.Write(raw)
	b.WriteString("\n\n")
	_, _ = w.Write(b.Bytes())
	flush(w)
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// stream is an open GET, or a subscription of the modern era.
type stream struct {
	messages       chan []byte
	dropped, ended chan struct{}
	drop, end      func()

	subscription json.RawMessage // id of the request that opened it
	filter       *filter         // nil for a GET
}

// get is GET on the endpoint: the server's own stream.
func (s *Sandbox) get(w http.ResponseWriter, r *http.Request, k MCPKnobs) {
	if s.resume(w, r, k) {
		return
	}
	switch k.Get {
	case GetMissing:
		http.NotFound(w, r)
		return
	case GetRefused:
		notAllowed(w)
		return
	case GetStream:
	}
	if !s.gateway.sessionFits(w, r, k, nil) {
		return
	}
	st := newStream()
	startStream(w)
	_, _ = fmt.Fprint(w, ": open\n\n")
	flush(w)
	s.gateway.join(st)
	defer s.gateway.leave(st)
	for n := 1; ; n++ {
		select {
		case raw := <-st.messages:
			writeEvent(w, k.Answer == AnswerRichSSE, strconv.Itoa(n), raw)
		case <-st.dropped:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (g *gateway) join(st *stream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.streams = append(g.streams, st)
	g.wake()
}

func (g *gateway) leave(st *stream) {
	st.drop()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.streams = slices.DeleteFunc(g.streams, func(o *stream) bool { return o == st })
	g.wake()
}

// Streams is the number of open GET streams and subscriptions.
func (s *Sandbox) Streams() int {
	s.gateway.mu.Lock()
	defer s.gateway.mu.Unlock()
	return len(s.gateway.streams)
}

// DropStreams cuts all open GET streams and subscriptions.
func (s *Sandbox) DropStreams() {
	s.gateway.mu.Lock()
	defer s.gateway.mu.Unlock()
	for _, st := range s.gateway.streams {
		st.drop()
	}
}

// Push sends raw, one JSON-RPC message on one line, on every open GET stream and
// every subscription that wants it, there with its id; without one it waits for
// the first. The error is that of ctx.
func (s *Sandbox) Push(ctx context.Context, raw []byte) error {
	for {
		s.gateway.mu.Lock()
		streams, changed := slices.Clone(s.gateway.streams), s.gateway.change()
		s.gateway.mu.Unlock()
		sent, err := pushAll(ctx, streams, raw)
		if sent || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for a stream of the host: %w", ctx.Err())
		}
	}
}

func pushAll(ctx context.Context, streams []*stream, raw []byte) (sent bool, err error) {
	for _, st := range streams {
		shaped := st.shape(raw)
		if shaped == nil {
			continue
		}
		select {
		case st.messages <- shaped:
			sent = true
		case <-st.dropped:
		case <-st.ended:
		case <-ctx.Done():
			return sent, fmt.Errorf("pushing a message: %w", ctx.Err())
		}
	}
	return sent, nil
}
