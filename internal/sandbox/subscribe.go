package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
)

// filter is what a subscription wants to hear of (MCP 2026-07-28,
// subscriptions).
type filter struct {
	Tools     bool     `json:"toolsListChanged,omitempty"`
	Prompts   bool     `json:"promptsListChanged,omitempty"`
	Resources bool     `json:"resourcesListChanged,omitempty"`
	Updates   []string `json:"resourceSubscriptions,omitempty"`
}

func (f *filter) wants(method, uri string) bool {
	switch method {
	case "notifications/tools/list_changed":
		return f.Tools
	case "notifications/prompts/list_changed":
		return f.Prompts
	case "notifications/resources/list_changed":
		return f.Resources
	case "notifications/resources/updated":
		return slices.Contains(f.Updates, uri)
	}
	return false
}

// subscribe serves subscriptions/listen: a stream that acknowledges and then
// carries what Push sends and the filter lets through.
func (s *Sandbox) subscribe(ctx context.Context, out *responder, m *message) {
	if !out.mayStream {
		(&refusal{http.StatusNotAcceptable, codeServer, "Not Acceptable: a subscription is an event stream", nil}).write(out.w, string(m.ID))
		return
	}
	var p struct {
		Filter *filter `json:"notifications"`
	}
	if json.Unmarshal(m.Params, &p) != nil || p.Filter == nil {
		(&refusal{http.StatusBadRequest, codeParams, "Invalid params: notifications is required", nil}).write(out.w, string(m.ID))
		return
	}
	st := newStream()
	st.subscription, st.filter = m.ID, p.Filter
	out.notify(st.marked("notifications/subscriptions/acknowledged", map[string]json.RawMessage{"notifications": marshal(p.Filter)}))
	s.gateway.join(st)
	defer s.gateway.leave(st)
	for {
		select {
		case raw := <-st.messages:
			out.notify(raw)
		case <-st.ended:
			out.result(m.ID, marshal(map[string]any{"_meta": st.mark()}))
			return
		case <-st.dropped:
			return
		case <-ctx.Done():
			return
		}
	}
}

func newStream() *stream {
	st := &stream{messages: make(chan []byte), dropped: make(chan struct{}), ended: make(chan struct{})}
	st.drop = sync.OnceFunc(func() { close(st.dropped) })
	st.end = sync.OnceFunc(func() { close(st.ended) })
	return st
}

// EndSubscriptions ends all subscriptions with their result, as a server does
// that shuts down in good order. DropStreams cuts them instead.
func (s *Sandbox) EndSubscriptions() {
	s.gateway.mu.Lock()
	defer s.gateway.mu.Unlock()
	for _, st := range s.gateway.streams {
		if st.filter != nil {
			st.end()
		}
	}
}

// shape is a pushed message as this stream carries it; nil: not at all.
func (st *stream) shape(raw []byte) []byte {
	if st.filter == nil {
		return raw
	}
	var m message
	var p map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	_ = json.Unmarshal(m.Params, &p) // params are optional
	var uri string
	_ = json.Unmarshal(p["uri"], &uri) // and so is this
	if !st.filter.wants(m.Method, uri) {
		return nil
	}
	return st.marked(m.Method, p)
}

// marked builds a notification that carries the id of the subscription.
func (st *stream) marked(method string, params map[string]json.RawMessage) []byte {
	if params == nil {
		params = map[string]json.RawMessage{}
	}
	var has map[string]json.RawMessage
	_ = json.Unmarshal(params["_meta"], &has) // none is fine
	if has == nil {
		has = map[string]json.RawMessage{}
	}
	has[metaSubscription] = st.subscription
	params["_meta"] = marshal(has)
	return marshal(struct {
		Version string                     `json:"jsonrpc"`
		Method  string                     `json:"method"`
		Params  map[string]json.RawMessage `json:"params"`
	}{"2.0", method, params})
}

func (st *stream) mark() map[string]json.RawMessage {
	return map[string]json.RawMessage{metaSubscription: st.subscription}
}
