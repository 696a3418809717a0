package bridge

import (
	"slices"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// maxAsked is how many requests of the server are remembered; the oldest, which
// its host will hardly answer any more, gives way.
const maxAsked = 1024

// asked are the requests of the server that the host has not answered, by id: an
// answer to anything else is nobody's (OAUTH X24).
type asked struct {
	mu   sync.Mutex
	open []string // oldest first
}

// note keeps the id of a request that goes to the host.
func (a *asked) note(m jsonmsg.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.open) == maxAsked {
		a.open = slices.Delete(a.open, 0, 1)
	}
	a.open = append(a.open, jsonmsg.Key(m.ID))
}

// answered reports whether m answers a request of the server, for the first time.
func (a *asked) answered(m jsonmsg.Message) bool {
	if m.NullID() {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.open, jsonmsg.Key(m.ID))
	if i < 0 {
		return false
	}
	a.open = slices.Delete(a.open, i, i+1)
	return true
}
