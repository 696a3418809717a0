package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	page     = "http://127.0.0.1:1/start/x"
	progress = `{"id":1,"method":"tools/call","params":{"name":"slow","_meta":{"progressToken":"p"}}}`
	nothing  = "Nothing was sent to PayU"
)

// signedOutServer refuses everything until in is set.
func signedOutServer(in *atomic.Bool) *fake {
	return &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		switch {
		case !in.Load():
			if h.Sent != nil {
				h.Sent()
			}
			return wantsLogin()
		case m.Method == "tools/list":
			h.Deliver(scan(fmt.Sprintf(`{"id":%s,"result":%s}`, m.ID, newTools)))
			return nil
		case m.Method == "initialize":
			h.Deliver(scan(fmt.Sprintf(`{"id":%s,"result":%s}`, m.ID, savedOpen)))
			return nil
		}
		return echo(ctx, m, h)
	}}
}

// door is a bridge before a server that wants a login.
type door struct {
	*host

	in    atomic.Bool
	up    *fake
	visit *visit
	login *fakeLogin
	there chan struct{} // closed when somebody has signed in elsewhere
}

// atDoor starts a bridge with nobody signed in; url is where a person goes.
func atDoor(t *testing.T, url string, c bridge.Config) *door {
	t.Helper()
	d := &door{visit: newVisit(), there: make(chan struct{})}
	d.up, d.login = signedOutServer(&d.in), opens(d.visit, url)
	d.login.await = func(ctx context.Context) error {
		select {
		case <-d.there:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.Remote, c.Login = d.up, d.login
	d.host = start(t, c)
	return d
}

// signIn ends the sign-in well.
func (d *door) signIn() {
	d.in.Store(true)
	d.login.stand(bridge.StandingSignedIn)
	d.visit.end(nil)
}

// nextText returns the next line, a tool result in words.
func (h *host) nextText() (text string, isError bool) {
	h.t.Helper()
	l := h.next()
	text = jsonmsg.Text(jsonmsg.Lookup([]byte(l), "result"))
	for _, m := range jsonmsg.Members(jsonmsg.Lookup([]byte(l), "result")) {
		if m.Key == "content" {
			text = string(m.Value)
		}
	}
	return text, lookup(l, "result", "isError") == "true"
}

func (d *door) expectText(parts ...string) {
	d.t.Helper()
	text, isError := d.nextText()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			d.t.Errorf("%q lacks %q", text, p)
		}
	}
	if !isError {
		d.t.Errorf("%q is no error", text)
	}
}

// calls counts the tools/call that the server got.
func (d *door) calls() int {
	n := 0
	for _, l := range d.up.sent() {
		if scan(l).Method == "tools/call" {
			n++
		}
	}
	return n
}

func TestCall_signedOut_heldAndSentOnlyWithin20Seconds(t *testing.T) {
	t.Parallel()
	for wait, sent := range map[time.Duration]bool{0: true, 19 * time.Second: true, 21 * time.Second: false, 49 * time.Second: false} {
		synctest.Test(t, func(t *testing.T) {
			d := atDoor(t, page, bridge.Config{})
			d.send(slow)
			time.Sleep(wait)
			if d.calls() != 0 {
				t.Error(d.up.sent())
			}
			d.signIn()
			if sent {
				d.expect(`{"id":1,"result":{}}`)
			} else {
				d.expectText("You are signed in", nothing, "Repeat the request")
			}
			d.send(strings.Replace(slow, `"id":1`, `"id":2`, 1))
			d.expect(`{"id":2,"result":{}}`)
			d.eof()
			if n := d.calls(); n != map[bool]int{true: 2, false: 1}[sent] {
				t.Errorf("after %s it was sent %d times", wait, n)
			}
		})
	}
}

// A tool that only reads is sent however long it took.
func TestCall_readOnlyTool_sentLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{Catalogue: full()})
		d.send(initialize, strings.Replace(slow, `"slow"`, `"old"`, 1))
		d.next()
		time.Sleep(45 * time.Second)
		d.signIn()
		d.expect(`{"id":1,"result":{}}`)
		d.eof()
	})
}

// The host that gave up silently at 30 s: whoever signs in at 40 s, nothing runs.
func TestCall_hostGaveUp_nothingRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.send(slow)
		time.Sleep(40 * time.Second)
		d.signIn()
		d.expectText(nothing)
		d.eof()
		if n := d.calls(); n != 0 {
			t.Errorf("sent %d times", n)
		}
	})
}

func TestCall_personIsSlow_answeredAfter50SecondsWhileItGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		begun := time.Now()
		d.send(slow)
		d.expectText("still open", page, "repeat the request")
		if took := time.Since(begun); took != 50*time.Second {
			t.Errorf("after %s", took)
		}
		time.Sleep(3 * time.Minute)
		d.signIn()
		synctest.Wait()
		d.send(strings.Replace(slow, `"id":1`, `"id":2`, 1))
		d.expect(`{"id":2,"result":{}}`)
		d.eof()
		if n := len(d.login.asked()); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestCall_progressToken_hearsThatItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.send(progress)
		last := 0.0
		for range 3 {
			l := d.next()
			var value float64
			if _, err := fmt.Sscan(lookup(l, "params", "progress"), &value); err != nil || value <= last || value > 0.01 ||
				lookup(l, "params", "progressToken") != `"p"` || lookup(l, "params", "message") == "" {
				t.Error(l)
			}
			last = value
		}
		d.signIn()
		d.expect(`{"id":1,"result":{}}`)
		d.eof()
	})
}

// Calls that come together are one sign-in, and a sign-in outlives the call that
// began it.
func TestCall_cancelled_signInGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.send(slow)
		synctest.Wait()
		d.send(cancel)
		synctest.Wait()
		d.signIn()
		synctest.Wait()
		d.send(strings.Replace(slow, `"id":1`, `"id":2`, 1))
		d.expect(`{"id":2,"result":{}}`)
		if _, rest := d.eof(); len(rest) != 0 || d.calls() != 1 {
			t.Error(rest, d.up.sent())
		}
	})
}

func TestCall_noBrowser_toldAtOnceWithTheAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		unopened := make(chan struct{})
		close(unopened)
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
			inv := d.visit.invitation("https://accounts/authorize")
			inv.Unopened = unopened
			return inv, nil
		})
		begun := time.Now()
		d.send(slow)
		d.expectText("no browser", "https://accounts/authorize", nothing)
		if took := time.Since(begun); took != 0 {
			t.Errorf("after %s", took)
		}
		d.eof()
	})
}

func TestCall_signInElsewhere_toldAtOnce_thenWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
			return bridge.Invitation{Elsewhere: true, By: "Claude\x1b Desktop", URL: page}, nil
		})
		d.send(slow)
		d.expectText("open already", "started by Claude Desktop", page, nothing)
		d.in.Store(true)
		d.login.stand(bridge.StandingSignedIn)
		close(d.there)
		synctest.Wait()
		d.send(strings.Replace(slow, `"id":1`, `"id":2`, 1))
		d.expect(`{"id":2,"result":{}}`)
		d.eof()
	})
}

func TestCall_signInFails_saidWithItsHintAndTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		first := opens(d.visit, page).open
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
			return bridge.Invitation{}, hint.With(errors.New("this endpoint is not PayU's"), "use a terminal")
		})
		d.send(slow)
		d.expectText("not PayU's", "use a terminal", "nothing was sent")
		synctest.Wait()
		d.login.opening(first)
		d.send(slow)
		synctest.Wait()
		d.visit.end(hint.With(errors.New("it was denied"), "ask PayU"))
		d.expectText("it was denied", "ask PayU")
		d.eof()
	})
}

func TestCall_newLoginRefused_saidOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.send(slow)
		synctest.Wait()
		d.visit.end(nil) // but the server does not take it
		d.expectText("refuses the new sign-in")
		if n := d.calls(); n != 1 {
			t.Errorf("sent %d times", n)
		}
		d.eof()
	})
}

// A revocation in the middle: the first call that meets it begins the sign-in,
// and the host hears of other lists only if they are other ones.
func TestCall_endedByTheServer_signsInAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.in.Store(true)
		d.login.stand(bridge.StandingSignedIn)
		d.signIn()
		d.send(initialize)
		d.next()
		d.send(inited, slow)
		d.next()
		d.in.Store(false)
		d.visit = newVisit()
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) { return d.visit.invitation(page), nil })
		d.send(slow)
		synctest.Wait()
		d.signIn()
		d.expect(`{"id":1,"result":{}}`)
		if _, rest := d.eof(); len(rest) != 0 {
			t.Error(rest)
		}
	})
}

// A step-up concerns one tool: meanwhile all else goes on.
func TestCall_stepUp_leavesTheRestAsItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var more atomic.Bool
		v := newVisit()
		login := opens(v, page)
		login.standing = bridge.StandingSignedIn
		up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method == "tools/call" && !more.Load() {
				h.Sent()
				return &remote.Error{Kind: remote.KindSignIn, Status: 403, Err: fmt.Errorf("%w: more scope", remote.ErrSignIn)}
			}
			return echo(ctx, m, h)
		}}
		h := start(t, bridge.Config{Remote: up, Login: login})
		h.send(slow)
		synctest.Wait()
		h.send(`{"id":2,"method":"resources/read"}`)
		h.expect(`{"id":2,"result":{}}`)
		more.Store(true)
		v.end(nil)
		h.expect(`{"id":1,"result":{}}`)
		h.eof()
	})
}

// Only a call begins a sign-in.
func TestSignIn_nothingButACall_beginsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var in atomic.Bool
		login := noSignIn(t)
		h := start(t, bridge.Config{Remote: signedOutServer(&in), Login: login})
		h.send(initialize)
		h.next()
		h.send(inited, `{"method":"notifications/n"}`, `{"id":"srv","result":{}}`, listTools,
			`{"id":2,"method":"logging/setLevel","params":{"level":"info"}}`, `{"id":3,"method":"resources/read"}`, `{"id":4,"method":"x"}`)
		answers := map[string]string{}
		for range 4 {
			l := h.next()
			answers[lookup(l, "id")] = l
		}
		for _, id := range []string{"3", "4"} {
			if lookup(answers[id], "error", "data", "kind") != `"sign_in"` || !strings.Contains(lookup(answers[id], "error", "data", "hint"), "payu_login") {
				t.Error(answers[id])
			}
		}
		if lookup(answers["2"], "result") != "{}" {
			t.Error(answers["2"])
		}
		h.eof()
		h = start(t, bridge.Config{Remote: signedOutServer(&in)})
		h.send(slow)
		if f := h.nextFault(); f.Error.Data.Kind != "sign_in" {
			t.Errorf("%+v", f)
		}
	})
}

// What the host said to a server that was not there yet is said when it is.
func TestSignIn_afterwards_theServerHearsItAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		level := `{"id":2,"method":"logging/setLevel","params":{"level":"info"}}`
		d.send(initialize, inited, level, slow)
		d.next()
		d.next()
		synctest.Wait()
		d.signIn()
		d.expect(`{"id":1,"result":{}}`)
		d.eof()
		want := []string{initialize, inited, strings.Replace(level, `"id":2`, `"id":"payu-mcp/level"`, 1), slow}
		if got := d.up.sent(); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// The result of the call that began it waits for the host to list the tools, at
// most a second (HOSTS P3).
func TestSignIn_resultWaitsForTheHostsList(t *testing.T) {
	t.Parallel()
	for _, lists := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			d := atDoor(t, page, bridge.Config{})
			d.send(initialize, inited, listTools)
			d.next()
			d.next()
			d.send(strings.Replace(slow, `"id":1`, `"id":2`, 1))
			synctest.Wait()
			begun := time.Now()
			d.signIn()
			d.expect(changed)
			if lists {
				d.send(strings.Replace(listTools, `"id":1`, `"id":3`, 1))
				if l := d.next(); toolNames(l) != "new" {
					t.Error(l)
				}
			}
			d.expect(`{"id":2,"result":{}}`)
			if took := time.Since(begun); took != map[bool]time.Duration{true: 100 * time.Millisecond, false: time.Second}[lists] {
				t.Errorf("after %s", took)
			}
			d.eof()
		})
	}
}

func TestSignIn_openAtEOF_endsAtOnceWithAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.send(initialize, slow)
		d.next()
		synctest.Wait()
		took, rest := d.eof()
		if took != 0 || len(rest) != 1 {
			t.Errorf("after %s: %q", took, rest)
		}
	})
}

// A tool may want more scope than the first sign-in gave; a server that is never
// content gets no third one.
func TestCall_stepUpRightAfterTheSignIn_oneMore(t *testing.T) {
	t.Parallel()
	for _, content := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			d := atDoor(t, page, bridge.Config{})
			visits := 0
			d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
				visits++
				v := newVisit()
				v.end(nil)
				return v.invitation(page), nil
			})
			d.up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
				if visits == 1 || !content {
					return &remote.Error{Kind: remote.KindSignIn, Status: 403, Err: fmt.Errorf("%w: more scope", remote.ErrSignIn)}
				}
				return echo(ctx, m, h)
			}
			d.send(slow)
			if content {
				d.expect(`{"id":1,"result":{}}`)
			} else {
				d.expectText("refuses the new sign-in")
			}
			d.eof()
			if visits != 2 {
				t.Errorf("%d sign-ins", visits)
			}
		})
	}
}

// Somebody else has signed in, in whatever process: the catalogue is gone, and
// nothing of the account that left is saved again.
func TestSignIn_anotherAccount_oldListsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		saved := full()
		saved.saved["2025-11-25"].Lists["prompts/list"] = []byte(`{"prompts":[{"name":"left"}]}`)
		d := atDoor(t, page, bridge.Config{Catalogue: saved})
		d.send(initialize, inited, listTools)
		d.next()
		if l := d.next(); toolNames(l) != "old" {
			t.Error(l)
		}
		saved.drop()
		d.in.Store(true)
		d.login.stand(bridge.StandingSignedIn)
		close(d.there)
		d.expect(changed)
		synctest.Wait()
		if tools, prompts := saved.list("2025-11-25", "tools/list"), saved.list("2025-11-25", "prompts/list"); tools != newTools || prompts != "" {
			t.Error(tools, prompts)
		}
		d.eof()
	})
}
