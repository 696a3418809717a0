package bridge_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge"
)

const (
	payu   = "https://accounts.payu.in/oauth/authorize?state=s"
	shows  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{"form":{},"url":{}}},"clientInfo":{"name":"codex","title":"Codex"}}}`
	accept = `"result":{"action":"accept"}`
)

// dialog reads the request that shows the address and returns its id.
func (d *door) dialog() string {
	d.t.Helper()
	l := d.next()
	if lookup(l, "method") != `"elicitation/create"` || lookup(l, "params", "mode") != `"url"` || lookup(l, "params", "url") != `"`+payu+`"` ||
		lookup(l, "params", "message") == "" || lookup(l, "params", "elicitationId") != lookup(l, "id") {
		d.t.Fatal(l)
	}
	return lookup(l, "id")
}

func (d *door) decide(id, answer string) { d.send(`{"jsonrpc":"2.0","id":` + id + `,` + answer + `}`) }

func done(id string) string {
	return `{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":` + id + `}}`
}

func atShowingHost(t *testing.T, url string) *door {
	t.Helper()
	d := atDoor(t, url, bridge.Config{Catalogue: full()})
	d.send(shows, inited)
	d.next()
	d.send(slow)
	return d
}

// A host that can show an address does, and nothing is opened here (HOSTS P6).
func TestDialog_accepted_callSentWhenSignedIn(t *testing.T) {
	t.Parallel()
	for _, finished := range []string{"before the answer", "after the answer"} {
		synctest.Test(t, func(t *testing.T) {
			d := atShowingHost(t, payu)
			id := d.dialog()
			if how := d.login.asked(); len(how) != 1 || !how[0].HandOut || how[0].By != "Codex" {
				t.Errorf("%+v", how)
			}
			if finished == "before the answer" {
				d.signIn()
				d.expect(done(id))
			} else {
				d.decide(id, accept)
				synctest.Wait()
				d.signIn()
				d.expect(done(id))
			}
			d.expect(`{"id":1,"result":{}}`)
			d.decide(id, accept) // late: it is nobody's
			if _, rest := d.eof(); len(rest) != 0 {
				t.Error(rest)
			}
		})
	}
}

// The 20 seconds hold for a dialog too.
func TestDialog_longDialog_callNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atShowingHost(t, payu)
		id := d.dialog()
		time.Sleep(2 * time.Minute)
		d.decide(id, accept)
		time.Sleep(10 * time.Second)
		d.signIn()
		d.expect(done(id))
		d.expectText("You are signed in", nothing)
		d.eof()
		if d.calls() != 0 {
			t.Error(d.up.sent())
		}
	})
}

func TestDialog_saidNo_toldWithTheAddress(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{`"result":{"action":"decline"}`, `"result":{"action":"cancel"}`, `"error":{"code":-32601,"message":"no"}`, `"result":{}`} {
		synctest.Test(t, func(t *testing.T) {
			d := atShowingHost(t, payu)
			d.decide(d.dialog(), answer)
			d.expectText("was not opened", "accounts.payu.in", "nothing was sent")
			d.eof()
		})
	}
}

// Calls that come together share one dialog.
func TestDialog_severalCalls_oneDialog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atShowingHost(t, payu)
		id := d.dialog()
		d.send(strings.Replace(slow, `"id":1`, `"id":2`, 1))
		synctest.Wait()
		d.decide(id, accept)
		synctest.Wait()
		d.signIn()
		got := map[string]bool{}
		for range 3 {
			got[d.next()] = true
		}
		if !got[done(id)] || !got[`{"id":1,"result":{}}`] || !got[`{"id":2,"result":{}}`] {
			t.Error(got)
		}
		if _, rest := d.eof(); len(rest) != 0 {
			t.Error(rest)
		}
	})
}

// Hosts decline addresses of this machine by themselves: those get the browser
// and the text (HOSTS H11).
func TestDialog_addressOfThisMachine_isNotShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atShowingHost(t, page)
		d.expectText("still open", page)
		d.eof()
	})
}

// A host that cancels the call does not keep the dialog.
func TestDialog_callCancelled_dialogToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atShowingHost(t, payu)
		id := d.dialog()
		d.send(cancel)
		d.expect(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`)
		if _, rest := d.eof(); len(rest) != 0 {
			t.Error(rest)
		}
	})
}

func modernCall(id, more string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"slow","arguments":{"a":1.0}` + more +
		`,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"m"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}}}`
}

// A modern host is asked for input, and its request comes back (HOSTS H22).
func TestDialog_modernHost_asksForInput(t *testing.T) {
	t.Parallel()
	for _, earlier := range []string{"", `,"inputResponses":{"k":{"x":1.0}},"requestState":"server's"`} {
		synctest.Test(t, func(t *testing.T) {
			d := atDoor(t, payu, bridge.Config{})
			d.send(modernCall("1", earlier))
			l := d.next()
			if lookup(l, "result", "resultType") != `"input_required"` || lookup(l, "result", "inputRequests", "payu_sign_in", "method") != `"elicitation/create"` ||
				lookup(l, "result", "inputRequests", "payu_sign_in", "params", "url") != `"`+payu+`"` {
				t.Fatal(l)
			}
			state := lookup(l, "result", "requestState")
			back := func(id, action string) string {
				return modernCall(id, `,"inputResponses":{"payu_sign_in":{"action":"`+action+`"}},"requestState":`+state)
			}
			d.send(back("2", "decline"))
			if text, isError := d.nextText(); !isError || !strings.Contains(text, "was not opened") {
				t.Error(text)
			}
			d.send(back("3", "accept"))
			synctest.Wait()
			d.signIn()
			d.expect(`{"id":3,"result":{}}`)
			d.send(back("4", "accept"))
			d.expect(`{"id":4,"result":{}}`)
			for i, sent := range d.up.sent() {
				want := lookup(modernCall(fmt.Sprint(i+3), earlier), "params")
				if got := lookup(sent, "params"); !sameMembers(got, want) {
					t.Errorf("got %s\nwant %s", got, want)
				}
			}
			d.eof()
		})
	}
}

// sameMembers compares the members of two objects, in whatever order.
func sameMembers(a, b string) bool {
	for _, key := range []string{"name", "arguments", "_meta", "inputResponses", "requestState"} {
		if lookup(a, key) != lookup(b, key) {
			return false
		}
	}
	return true
}

func TestDialog_modernHost_brokenState_refused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, payu, bridge.Config{})
		d.send(modernCall("1", `,"requestState":"payu-mcp/sign-in:!"`))
		f := d.nextFault()
		if diff := cmp.Diff(-32602, f.Error.Code); diff != "" {
			t.Error(diff)
		}
		d.eof()
		if len(d.up.sent()) != 0 {
			t.Error(d.up.sent())
		}
	})
}
