package bridge

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	// maxWaiting is how many notifications may wait to be sent, and how many
	// answers may be on their way. What is over it is dropped, with a warning.
	maxWaiting = 1024
	// noteLimit is how long one may take: the next ones wait for it.
	noteLimit = 30 * time.Second
)

// notes keeps the notifications of the host in order.
type notes struct {
	mu      sync.Mutex
	queue   []jsonmsg.Message
	sending bool
}

// push adds one. start: somebody has to start sending. full: it was dropped.
func (n *notes) push(m jsonmsg.Message) (start, full bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) >= maxWaiting {
		return false, true
	}
	n.queue = append(n.queue, m)
	start = !n.sending
	n.sending = true
	return start, false
}

// pop returns the next one; false ends the sending.
func (n *notes) pop() (jsonmsg.Message, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) == 0 {
		n.sending = false
		return jsonmsg.Message{}, false
	}
	m := n.queue[0]
	n.queue = n.queue[1:]
	return m, true
}

// notify queues a notification of the host.
func (b *bridge) notify(m jsonmsg.Message) {
	start, full := b.notes.push(m)
	if full {
		b.drop(m)
	}
	if start {
		b.tasks.Go(b.sendNotes)
	}
}

// sendNotes sends what is queued, one after the other.
func (b *bridge) sendNotes() {
	for m, ok := b.notes.pop(); ok; m, ok = b.notes.pop() {
		if err := b.ready(b.ctx); err == nil {
			_ = b.post(m) // it has been logged
		}
		b.work.end()
	}
}

// reply sends the host's answer to a request of the server.
func (b *bridge) reply(m jsonmsg.Message) {
	if b.replies.Add(1) > maxWaiting {
		b.replies.Add(-1)
		b.drop(m)
		return
	}
	b.tasks.Go(func() {
		defer b.work.end()
		defer b.replies.Add(-1)
		_ = b.post(m) // it has been logged
	})
}

func (b *bridge) drop(m jsonmsg.Message) {
	b.log.LogAttrs(b.ctx, slog.LevelWarn, "the server takes messages too slowly, dropped one",
		slog.String("method", printable.Word(m.Method)))
	b.work.end()
}

// post sends a message that has no answer. A failure cannot be told to the
// host, and harms nothing else (RELAY H2).
func (b *bridge) post(m jsonmsg.Message) error {
	ctx, cancel := context.WithTimeout(b.ctx, noteLimit)
	defer cancel()
	err := b.remote.Do(ctx, m, remote.Hooks{})
	if err != nil && b.ctx.Err() == nil {
		b.log.LogAttrs(ctx, slog.LevelWarn, "a message of the host was not accepted",
			slog.String("method", printable.Word(m.Method)), slog.Any("error", err))
	}
	return err
}

// hear passes on what the server, or the remote itself, says unasked. An answer there goes to
// the host only if it is owed one (OAUTH X24).
func (b *bridge) hear() {
	b.remote.Listen(b.ctx, func(m jsonmsg.Message) {
		if m.Kind != jsonmsg.Response {
			b.tell(b.ctx, m)
			return
		}
		f := b.flights.find(jsonmsg.Key(m.ID))
		if m.NullID() || f == nil {
			b.log.LogAttrs(b.ctx, slog.LevelDebug, "dropped an answer that nobody asked for")
			return
		}
		b.pass(f, m)
		f.stop()
	})
}
