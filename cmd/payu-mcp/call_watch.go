package main

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	methodInitialize = "initialize"
	methodDiscover   = "server/discover"
	methodTools      = "tools/list"
	methodCall       = "tools/call"
)

// watched is the way to the server, looked at: what became of the call, also when
// its host has given it up and is told nothing any more; which tools there are,
// also those that the brakes hide; and whether an answer is the server's, whatever
// it says of itself.
type watched struct {
	bridge.Upstream

	over chan struct{} // closed when a call has come to its end

	mu     sync.Mutex
	tools  policy.Tools
	begun  bool            // something of the call may be at the server
	lost   bool            // the call failed in a way that does not exclude that it has run
	entry  string          // of the call in the journal; "": it has none
	answer jsonmsg.Message // of the call; Raw is nil: none
	opened bool            // the server has answered initialize, or what a modern one has in its place
	err    error           // what ended the last message that failed
}

func watch(up bridge.Upstream) *watched {
	return &watched{Upstream: up, over: make(chan struct{}), tools: policy.Tools{}}
}

// Do implements bridge.Upstream.
func (w *watched) Do(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
	deliver := h.Deliver
	if deliver != nil {
		h.Deliver = func(r jsonmsg.Message) {
			w.note(m, r)
			deliver(r)
		}
	}
	if m.Method == methodCall && h.Start != nil {
		h.Start = w.started(h.Start)
	}
	err := w.Upstream.Do(ctx, m, h)
	w.ended(m, err)
	return err
}

func (w *watched) started(start func(string) bool) func(string) bool {
	return func(requestID string) bool {
		ok := start(requestID)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.begun = w.begun || ok
		return ok
	}
}

func (w *watched) note(m, r jsonmsg.Message) {
	if r.Kind != jsonmsg.Response || r.ResultType == "input_required" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch m.Method {
	case methodInitialize, methodDiscover:
		w.opened = true
	case methodCall:
		w.answer = r
	case methodTools:
		maps.Copy(w.tools, policy.ToolsOf(jsonmsg.Lookup(r.Raw, "result"))) // page by page
	}
}

func (w *watched) ended(m jsonmsg.Message, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.err = err
	}
	if m.Method != methodCall {
		return
	}
	if e, ok := errors.AsType[*remote.Error](err); ok {
		w.begun, w.lost = e.MayHaveRun, e.MayHaveRun
	}
	select {
	case <-w.over:
	default:
		close(w.over)
	}
}

// known are all tools that the server has listed.
func (w *watched) known() policy.Tools {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.tools)
}

// outcome tells what is known of the call: its answer if there is one, and else
// whether it may have run, and its entry in the journal.
func (w *watched) outcome() (answer jsonmsg.Message, begun bool, entry string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answer, w.begun, w.entry
}

// isLost reports whether the call may have run although it failed.
func (w *watched) isLost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// watchedJournal is the journal, looked at: a call that is given up is told nothing
// more by the bridge, and its person needs its entry.
type watchedJournal struct {
	bridge.Journal

	seen *watched
}

// Begin implements bridge.Journal.
func (j watchedJournal) Begin(ctx context.Context, c journal.Call) (id string, err error) {
	id, err = j.Journal.Begin(ctx, c)
	j.seen.mu.Lock()
	defer j.seen.mu.Unlock()
	j.seen.entry = id
	return id, err
}

// hasOpened reports whether the server has answered how its host opens.
func (w *watched) hasOpened() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opened
}

// fault is what ended the last message that failed, as it was met.
func (w *watched) fault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
