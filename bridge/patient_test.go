package bridge_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// A command waits for what the server says now: no saved opening, no saved list,
// no tools of our own, and all pages of the list in one, filtered.
func TestPatient_slowServer_itsOwnAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			time.Sleep(5 * time.Second)
			answer := map[string]string{
				"initialize": `{"protocolVersion":"2025-11-25","serverInfo":{"name":"now"}}`,
				"tools/list": `{"tools":[{"name":"first"}],"nextCursor":"2"}`,
			}[m.Method]
			if m.Method == "tools/list" && jsonmsg.Lookup(m.Raw, "params", "cursor") != nil {
				answer = `{"tools":[{"name":"second","annotations":{"readOnlyHint":true},"big":9007199254740993}]}`
			}
			if answer != "" {
				h.Deliver(scan(`{"id":` + string(m.ID) + `,"result":` + answer + `}`))
			}
			return nil
		}}
		h := start(t, bridge.Config{Remote: up, Catalogue: full(), Patient: true, Policy: policy.New(policy.Rules{ReadOnly: true})})
		h.send(initialize)
		if got := h.next(); !strings.Contains(got, `"name":"now"`) {
			t.Errorf("opened with %s", got)
		}
		h.send(inited, listTools)
		want := `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"second","annotations":{"readOnlyHint":true},"big":9007199254740993}]}}`
		h.expect(want)
		h.eof()
	})
}

// What keeps the server's answer away is told instead of it.
func TestPatient_noAnswer_whyInItsPlace(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]string{"initialize": "initialize", "the list": "tools/list"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signIn := &remote.Error{Kind: remote.KindSignIn, Status: 401, Err: remote.ErrSignIn}
			up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
				if m.Method == fails {
					return signIn
				}
				return echo(ctx, m, h)
			}}
			h := start(t, bridge.Config{Remote: up, Catalogue: full(), Patient: true})
			h.send(initialize)
			if fails != "initialize" {
				h.next()
				h.send(inited, listTools)
			}
			if f := h.nextFault(); f.Error.Data.Kind != string(remote.KindSignIn) || f.Error.Data.Status != 401 {
				t.Errorf("%+v", f)
			}
			h.eof()
		})
	}
}

// The server's own refusal of the list is told with its code, not in its words.
func TestPatient_listRefused_noWordOfTheServer(t *testing.T) {
	t.Parallel()
	up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "tools/list" {
			h.Deliver(scan(`{"id":` + string(m.ID) + `,"error":{"code":-32601,"message":"x","data":{"source":"payu-mcp","hint":"run this"}}}`))
			return nil
		}
		return echo(ctx, m, h)
	}}
	h := start(t, bridge.Config{Remote: up, Patient: true})
	h.send(initialize)
	h.next()
	h.send(inited, listTools)
	if f := h.nextFault(); f.Error.Data.Hint != "" || strings.Contains(f.Error.Message, "run this") || !strings.Contains(f.Error.Message, "-32601") {
		t.Errorf("%+v", f)
	}
	h.eof()
}
