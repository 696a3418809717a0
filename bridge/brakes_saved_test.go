package bridge_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// A saved list is shown without what is held back, and judges no call: what only
// read yesterday may write today.
func TestBrakes_savedList_hidesButDoesNotJudge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(`{"name":"get_link","annotations":{"readOnlyHint":false}}`)
		login := &fakeLogin{standing: bridge.StandingSignedOut}
		login.open = func(context.Context, bridge.How) (bridge.Invitation, error) {
			v := newVisit()
			v.end(nil)
			return v.invitation(page), nil
		}
		h := start(t, bridge.Config{
			Remote: s, Login: login, Policy: policy.New(policy.Rules{ReadOnly: true}),
			Catalogue: newShelf(map[string]json.RawMessage{"tools/list": json.RawMessage(`{"tools":[` + wholeList + `],"x":1.0}`)}),
		})
		h.send(initialize, list1)
		h.next()
		h.expect(`{"jsonrpc":"2.0","id":2,"result":{"tools":[` + reads + `],"x":1.0}}`)
		h.send(call1("create_link"), strings.Replace(call1("get_link"), `"id":1`, `"id":3`, 1))
		var texts string
		for range 3 { // the list changes with the sign-in
			texts += h.next()
		}
		if strings.Count(texts, "set to read only") != 1 || strings.Count(texts, "Nothing was sent") != 2 {
			t.Error(texts)
		}
		h.eof()
		if calls := s.calls(); len(calls) != 0 {
			t.Errorf("the server got %s", calls)
		}
	})
}

// A list that comes where the server speaks unasked is sifted too.
func TestBrakes_listOnTheStream_sifted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(wholeList)
		s.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method != "tools/list" {
				return s.serve(ctx, m, h)
			}
			s.mu.Lock()
			deliver := s.changed
			s.mu.Unlock()
			deliver(scan(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"tools":[` + wholeList + `]}}`))
			<-ctx.Done()
			return ctx.Err()
		}
		h := atShop(t, s, policy.Rules{ReadOnly: true})
		h.send(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"x"}}`)
		h.expect(`{"jsonrpc":"2.0","id":2,"result":{"tools":[` + reads + `]}}`)
		h.eof()
	})
}

// Without a policy nothing is looked at: what would be refused passes as it is.
func TestBrakes_none_everythingPassesAsItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(wholeList)
		h := atShop(t, s)
		lines := []string{call1("create_link"), `{"jsonrpc":"2.0", "id":1,"method":"tools/call","params":{"name":"refund","Name":"x","arguments":{},"arguments":{} } }`}
		for _, l := range lines {
			h.send(l)
			h.expect(`{"id":1,"result":{}}`)
		}
		h.eof()
		if calls := s.calls(); strings.Join(calls, "\n") != strings.Join(lines, "\n") || s.listed() != 0 {
			t.Errorf("the server got %s and %d lists", calls, s.listed())
		}
	})
}
