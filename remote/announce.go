package remote

import (
	"encoding/json"
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
	var m struct {
		Result struct {
			Capabilities struct {
				Tools, Prompts, Resources json.RawMessage
			} `json:"capabilities"`
		} `json:"result"`
	}
	if err := json.Unmarshal(answer.Raw, &m); err != nil {
		return nil // it passed the scan; odd capabilities are the server's affair
	}
	var features []string
	c := m.Result.Capabilities
	for feature, raw := range map[string]json.RawMessage{"tools": c.Tools, "prompts": c.Prompts, "resources": c.Resources} {
		if raw != nil {
			features = append(features, feature)
		}
	}
	return features
}
