package remote

import (
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// unasked is where messages go that the host has not asked for: the deliver of
// Listen, while it runs.
type unasked struct {
	mu      sync.Mutex
	deliver func(jsonmsg.Message)
}

func (u *unasked) set(deliver func(jsonmsg.Message)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.deliver = deliver
}

func (u *unasked) get() func(jsonmsg.Message) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.deliver
}

// listFeatures returns the features of an InitializeResult that have lists.
func listFeatures(answer jsonmsg.Message) []string {
	var features []string
	for _, f := range []string{"prompts", "resources", "tools"} {
		if jsonmsg.Lookup(answer.Raw, "result", "capabilities", f) != nil {
			features = append(features, f)
		}
	}
	return features
}
