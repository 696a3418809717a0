package bridge

import (
	"bytes"
	"encoding/json"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// learnList keeps a complete list. A catalogue that is gone was dropped because
// somebody else has signed in, perhaps in another process: then the other lists
// are not kept beside it.
func (k *book) learnList(method string, result json.RawMessage) {
	if jsonmsg.Lookup(result, catalogue.ItemsOf(method)) == nil {
		return
	}
	before := k.keepList(method, result)
	if method != methodTools || before == nil || k.toolsChanged == nil {
		return
	}
	if changes := policy.Changes(before, result); len(changes) > 0 {
		k.toolsChanged(changes)
	}
}

// keepList does it, and returns the list that was known before.
func (k *book) keepList(method string, result json.RawMessage) (before json.RawMessage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept && k.missing() {
		k.forget()
	}
	if k.saved.Lists == nil {
		k.saved.Lists = map[string]json.RawMessage{}
	}
	before = k.saved.Lists[method]
	k.saved.Lists[method] = bytes.Clone(result)
	k.save()
	return before
}
