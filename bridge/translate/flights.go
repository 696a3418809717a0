package translate

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// numbers gives the ids of our own requests, in either direction. They are an
// id space of our own (RELAY O6).
type numbers struct{ last atomic.Int64 }

func (n *numbers) next() json.RawMessage {
	return jsonmsg.Quote("payu-mcp/" + strconv.FormatInt(n.last.Add(1), 10))
}

// flights are the requests of the host that are at the server, so that a
// cancellation finds them.
type flights struct {
	mu   sync.Mutex
	open map[string]*context.CancelFunc
}

// begin notes a request; the context ends when the host cancels it.
func (f *flights) begin(ctx context.Context, id json.RawMessage) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	key, mine := jsonmsg.Key(id), &cancel
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = make(map[string]*context.CancelFunc)
	}
	f.open[key] = mine
	return ctx, func() {
		cancel()
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.open[key] == mine {
			delete(f.open, key)
		}
	}
}

// cancel closes the stream of a request, which is how the modern era cancels
// (RELAY O4). Nothing is sent.
func (f *flights) cancel(id json.RawMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if stop := f.open[jsonmsg.Key(id)]; stop != nil {
		(*stop)()
	}
}
