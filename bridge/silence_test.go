package bridge_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/remote"
)

// A ping asks whether we live, and we do.
func TestPing_serverDown_answered(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: failingWith(&remote.Error{Kind: remote.KindUnreachable})})
	h.send(`{"jsonrpc":"2.0","id":7,"method":"ping"}`)
	h.expect(`{"jsonrpc":"2.0","id":7,"result":{}}`)
	h.eof()
}

// A modern server that is known but silent: the list does not wait for it either.
func TestOpening_modernBlackHole_listAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := start(t, bridge.Config{Remote: scripted(0, nil), Login: signedInLogin(t), Era: era(remote.EraModern)})
		begun := time.Now()
		h.send(probe)
		h.next()
		h.send(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{` + meta + `}}`)
		if l := h.next(); toolNames(l) != own {
			t.Error(l)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("after %s", took)
		}
		h.eof()
	})
}

// A list that is not known, of a server that has not answered anything yet, is
// not waited for, however the host was opened.
func TestList_blackHoleAndNotSaved_isEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := start(t, bridge.Config{Remote: scripted(0, nil), Catalogue: full(), Login: signedInLogin(t)})
		h.send(initialize, inited)
		h.next()
		begun := time.Now()
		h.send(`{"jsonrpc":"2.0","id":5,"method":"resources/list"}`)
		if l := h.next(); lookup(l, "result", "resources") != "[]" || time.Since(begun) != time.Second {
			t.Errorf("after %s: %s", time.Since(begun), l)
		}
		h.eof()
	})
}

// A host that leaves with nothing in flight is not kept by a server that it has
// not waited for either (RELAY S7).
func TestEOF_blackHoleBehindTheCatalogue_endsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := start(t, bridge.Config{Remote: scripted(0, nil), Catalogue: full(), Login: signedInLogin(t)})
		h.send(initialize, inited)
		h.next()
		synctest.Wait()
		if took, rest := h.eof(); took != 0 || len(rest) != 0 {
			t.Errorf("after %s: %q", took, rest)
		}
	})
}
