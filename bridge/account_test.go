package bridge_test

import (
	"testing"
	"testing/synctest"

	"github.com/payu-mcp/payu-mcp/bridge"
)

// Somebody else signed in, in another process, while this one was connected: what
// it still knows of the account that left is not saved for the new one.
func TestCatalogue_anotherAccountWhileConnected_oldListsAreNotSaved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		saved := full()
		saved.saved["2025-11-25"].Lists["prompts/list"] = []byte(`{"prompts":[{"name":"left"}]}`)
		up := scripted(0, map[string]string{"initialize": okay(savedOpen), "tools/list": okay(newTools)})
		h := start(t, bridge.Config{Remote: up, Catalogue: saved, Login: signedInLogin(t)})
		h.send(initialize, inited)
		h.next()
		synctest.Wait()
		saved.drop()
		h.send(listTools)
		if l := h.next(); toolNames(l) != "new" {
			t.Error(l)
		}
		h.eof()
		if tools, prompts := saved.list("2025-11-25", "tools/list"), saved.list("2025-11-25", "prompts/list"); tools != newTools || prompts != "" {
			t.Error(tools, prompts)
		}
	})
}
