package bridge_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

func use(id, tool, arguments string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments + `,"_meta":{"k":1.0}}}`
}

// atOurTools is a host that was told our own tools.
func atOurTools(t *testing.T) *door {
	t.Helper()
	d := atDoor(t, page, bridge.Config{})
	d.send(initialize, inited, listTools)
	if l := d.next(); !strings.Contains(lookup(l, "result", "instructions"), "payu_login") {
		t.Error(l)
	}
	if l := d.next(); toolNames(l) != own {
		t.Error(l)
	}
	return d
}

// A host that never lists again gets to a result in one conversation (HOSTS P3).
func TestOwnTools_hostThatNeverListsAgain_getsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atOurTools(t)
		d.send(use("2", "payu_login", `{}`))
		synctest.Wait()
		time.Sleep(40 * time.Second)
		d.signIn()
		d.expect(changed)
		if text, isError := d.nextText(); isError || !strings.Contains(text, "You are signed in to PayU") {
			t.Error(text)
		}
		d.send(use("3", "payu_list_tools", `{}`))
		if text, isError := d.nextText(); isError || !strings.Contains(text, `\"name\":\"new\"`) {
			t.Error(text)
		}
		d.send(use("4", "payu_call_tool", `{"name":"new","arguments":{"a":1.0,"b":"\u00e9"}}`))
		d.expect(`{"id":4,"result":{}}`)
		sent := d.up.sent()
		want := `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"new","arguments":{"a":1.0,"b":"\u00e9"},"_meta":{"k":1.0}}}`
		if diff := cmp.Diff(want, sent[len(sent)-1]); diff != "" {
			t.Error(diff)
		}
		d.send(use("5", "payu_login", `{}`)) // signed in already
		if text, isError := d.nextText(); isError || !strings.Contains(text, "You are signed in to PayU") {
			t.Error(text)
		}
		d.eof()
	})
}

// payu_call_tool and payu_list_tools sign in by themselves.
func TestOwnTools_anyOfThem_signsIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ tool, arguments, result string }{
		{"payu_call_tool", `{"name":"new"}`, `"result":{}`},
		{"payu_list_tools", `{}`, `\"name\":\"new\"`},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := atOurTools(t)
			d.send(use("2", c.tool, c.arguments))
			synctest.Wait()
			d.signIn()
			d.expect(changed)
			if l := d.next(); !strings.Contains(l, c.result) {
				t.Error(l)
			}
			d.eof()
		})
	}
}

// Before a server that is out of reach nobody can say that the login works.
func TestOwnTools_outOfReach_saidSo(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: failingWith(&remote.Error{Kind: remote.KindUnreachable}), Login: noSignIn(t)})
	h.send(initialize, inited, listTools)
	h.next()
	h.next()
	for _, tool := range []string{"payu_login", "payu_list_tools"} {
		h.send(use("2", tool, `{}`))
		if text, isError := h.nextText(); !isError || !strings.Contains(text, "cannot connect") {
			t.Errorf("%s: %s", tool, text)
		}
	}
}

// A write through payu_call_tool is a write: it is not sent late.
func TestOwnTools_innerCall_heldTooLong_isNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atOurTools(t)
		d.send(use("2", "payu_call_tool", `{"name":"new"}`))
		time.Sleep(30 * time.Second)
		d.signIn()
		d.expect(changed)
		d.expectText(nothing, "Repeat the request")
		d.eof()
		if d.calls() != 0 {
			t.Error(d.up.sent())
		}
	})
}

func TestOwnTools_badInnerCall_refused(t *testing.T) {
	t.Parallel()
	d := atOurTools(t)
	for _, arguments := range []string{
		`{}`, `{"name":7}`, `{"name":""}`, `{"name":"payu_login"}`, `{"name":"payu_call_tool","arguments":{"name":"new"}}`, `[]`, `null`,
	} {
		d.send(use("2", "payu_call_tool", arguments))
		if text, isError := d.nextText(); !isError || !strings.Contains(text, "Nothing was sent") {
			t.Errorf("%s: %s", arguments, text)
		}
	}
	if d.calls() != 0 {
		t.Error(d.up.sent())
	}
}

// Our tools never stand beside PayU's: a host that was given the saved list has
// none of them, and a tool of PayU of the same name is PayU's (HOSTS P12).
func TestOwnTools_besideTheServers_areNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{Catalogue: full()})
		d.in.Store(true)
		d.login.stand(bridge.StandingSignedIn)
		d.signIn()
		d.send(initialize, use("2", "payu_login", `{}`))
		d.next()
		d.expect(`{"id":2,"result":{}}`) // the server's answer
		d.eof()
	})
	synctest.Test(t, func(t *testing.T) {
		d := atOurTools(t)
		d.up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method == "tools/list" {
				h.Deliver(scan(`{"id":` + string(m.ID) + `,"result":{"tools":[{"name":"payu_login"}]}}`))
				return nil
			}
			return echo(ctx, m, h)
		}
		d.signIn()
		d.send(use("2", "payu_login", `{}`))
		for l := d.next(); l != changed; l = d.next() {
		}
		d.send(strings.Replace(listTools, `"id":1`, `"id":3`, 1))
		for l := d.next(); lookup(l, "id") != "3"; l = d.next() {
		}
		d.send(use("4", "payu_login", `{}`))
		for l := d.next(); l != `{"id":4,"result":{}}`; l = d.next() {
			if lookup(l, "id") == "4" {
				t.Error(l)
				break
			}
		}
		d.eof()
	})
}
