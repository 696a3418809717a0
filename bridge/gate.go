package bridge

import (
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// What the gate holds is bounded.
const (
	maxHeld      = 1024
	maxHeldBytes = 64 << 20
)

// gate is the barrier behind initialize: what the host sends after it is held
// until it is answered (RELAY O3, L1). What the server hears is the link's.
type gate struct {
	mu    sync.Mutex
	shut  bool
	held  []parcel
	bytes int
}

// parcel is one message of the host on its way; flight is nil unless it is a
// request.
type parcel struct {
	msg    jsonmsg.Message
	flight *flight
}

// barrier reports whether what follows has to wait for this message.
func (p parcel) barrier() bool {
	return p.flight != nil && p.msg.Method == methodInitialize
}

// enter launches one message, or holds it until the gate opens; false: there is
// no room. launch is called under the lock, so that what comes later cannot
// overtake; it must not wait.
func (g *gate) enter(p parcel, launch func(parcel)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.shut {
		g.shut = p.barrier()
		launch(p)
		return true
	}
	if len(g.held) >= maxHeld || g.bytes+len(p.msg.Raw) > maxHeldBytes {
		return false
	}
	g.held = append(g.held, p)
	g.bytes += len(p.msg.Raw)
	return true
}

// open ends the wait and launches what was held, up to and with the next
// barrier.
func (g *gate) open(launch func(parcel)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
	for len(g.held) > 0 && !g.shut {
		p := g.held[0]
		g.held[0] = parcel{}
		g.held = g.held[1:]
		g.bytes -= len(p.msg.Raw)
		g.shut = p.barrier()
		launch(p)
	}
}
