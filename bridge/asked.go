package bridge

import (
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// maxAsked is how many requests of the server may wait for the host. What is over
// it reaches the host, but an answer to it is not taken.
const maxAsked = 1024

// asked are the requests of the server that the host has not answered, by id: an
// answer to anything else is nobody's (OAUTH X24).
type asked struct {
	mu   sync.Mutex
	open map[string]bool
}

// note keeps the id of a request that goes to the host.
func (a *asked) note(m jsonmsg.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = make(map[string]bool)
	}
	if len(a.open) < maxAsked {
		a.open[jsonmsg.Key(m.ID)] = true
	}
}

// answered reports whether m answers a request of the server, for the first time.
func (a *asked) answered(m jsonmsg.Message) bool {
	if m.NullID() {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := jsonmsg.Key(m.ID)
	defer delete(a.open, key)
	return a.open[key]
}
