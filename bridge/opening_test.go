package bridge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	listTools  = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	savedOpen  = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"saved","version":"1.0"},"instructions":"\u003ca\u003e"}`
	savedTools = `{"tools":[{"name":"old","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]}`
	newTools   = `{"tools":[{"name":"new","inputSchema":{"type":"object"}}]}`
	changed    = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
)

// shelf is a catalogue in memory.
type shelf struct {
	mu    sync.Mutex
	saved map[string]catalogue.Saved
	saves int
}

func newShelf(lists map[string]json.RawMessage) *shelf {
	return &shelf{saved: map[string]catalogue.Saved{"2025-11-25": {Opening: json.RawMessage(savedOpen), Lists: lists}}}
}

// full is a catalogue with tools in it.
func full() *shelf {
	return newShelf(map[string]json.RawMessage{"tools/list": json.RawMessage(savedTools)})
}

func (s *shelf) Load(version string) (*catalogue.Saved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.saved[version]; ok {
		return &v, nil
	}
	return nil, nil
}

func (s *shelf) Save(version string, v catalogue.Saved) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saved == nil {
		s.saved = map[string]catalogue.Saved{}
	}
	v.Lists = maps.Clone(v.Lists)
	s.saved[version] = v
	s.saves++
	return nil
}

func (s *shelf) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.saved)
}

func (s *shelf) list(version, method string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.saved[version].Lists[method])
}

// scripted is a server that answers by method; what is not there is silence.
func scripted(after time.Duration, results map[string]string) *fake {
	return &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if h.Sent != nil {
			h.Sent()
		}
		if m.Kind != jsonmsg.Request {
			return nil
		}
		result, ok := results[m.Method]
		if !ok {
			<-ctx.Done()
			return &remote.Error{Kind: remote.KindCancelled}
		}
		select {
		case <-time.After(after):
		case <-ctx.Done():
			return &remote.Error{Kind: remote.KindCancelled}
		}
		h.Deliver(scan(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,%s}`, m.ID, result)))
		return nil
	}}
}

func okay(result string) string { return `"result":` + result }

// lookup returns a value of a line, as written.
func lookup(line string, path ...string) string { return string(jsonmsg.Lookup([]byte(line), path...)) }

func toolNames(line string) string {
	var tools []struct{ Name string }
	if json.Unmarshal(jsonmsg.Lookup([]byte(line), "result", "tools"), &tools) != nil {
		return line
	}
	names := make([]string, 0, len(tools))
	for _, t := range tools {
		names = append(names, t.Name)
	}
	return strings.Join(names, " ")
}

const own = "payu_login payu_list_tools payu_call_tool"

// In every state of the world the host is answered within a second (RELAY B8).
func TestOpening_everyStateOfTheWorld_answeredInTime(t *testing.T) {
	t.Parallel()
	unreachable := func() *fake { return failingWith(&remote.Error{Kind: remote.KindUnreachable}) }
	for name, c := range map[string]struct {
		up       *fake
		login    bridge.Standing
		shelf    *shelf
		server   string        // serverInfo.name
		opening  time.Duration // how long the host waits for initialize
		tools    string
		listing  time.Duration
		requests int // to the server, in this second or two
	}{
		"answers":                            {scripted(0, map[string]string{"initialize": okay(savedOpen), "tools/list": okay(newTools)}), bridge.StandingUnknown, nil, "saved", 0, "new", 0, 3},
		"answers slowly":                     {scripted(999*time.Millisecond, map[string]string{"initialize": okay(savedOpen), "tools/list": okay(newTools)}), bridge.StandingSignedIn, nil, "saved", 999 * time.Millisecond, "new", 999 * time.Millisecond, 3},
		"black hole":                         {scripted(0, nil), bridge.StandingUnknown, nil, "payu-mcp", time.Second, own, time.Second, 1},
		"black hole, known":                  {scripted(0, nil), bridge.StandingSignedIn, full(), "saved", 0, "old", time.Second, 1},
		"down":                               {unreachable(), bridge.StandingUnknown, nil, "payu-mcp", 0, own, 0, 2},
		"down, known":                        {unreachable(), bridge.StandingSignedIn, full(), "saved", 0, "old", 0, 2},
		"nobody signed in":                   {scripted(0, nil), bridge.StandingSignedOut, nil, "payu-mcp", 0, own, 0, 0},
		"nobody signed in, known":            {scripted(0, nil), bridge.StandingSignedOut, full(), "saved", 0, "old", 0, 0},
		"ended by the server, known":         {scripted(0, nil), bridge.StandingEnded, full(), "saved", 0, "old", 0, 0},
		"401":                                {failingWith(wantsLogin()), bridge.StandingUnknown, nil, "payu-mcp", 0, own, 0, 1},
		"401 though signed in, known":        {failingWith(wantsLogin()), bridge.StandingSignedIn, full(), "saved", 0, "old", 0, 1},
		"the keychain does not answer":       {failingWith(&remote.Error{Kind: remote.KindToken}), bridge.StandingSignedIn, nil, "payu-mcp", 0, own, 0, 2},
		"403":                                {forbidden(), bridge.StandingSignedIn, nil, "payu-mcp", 0, own, 0, 3},
		"403, known":                         {forbidden(), bridge.StandingSignedIn, full(), "saved", 0, "old", 0, 3},
		"answers at once, lists slowly":      {scriptedLists(2*time.Second, newTools), bridge.StandingSignedIn, nil, "saved", 0, "new", 2 * time.Second, 3},
		"answers at once, lists slow, known": {scriptedLists(2*time.Second, newTools), bridge.StandingSignedIn, full(), "saved", 0, "old", time.Second, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				login := noSignIn(t)
				login.standing = c.login
				config := bridge.Config{Remote: c.up, Login: login}
				if c.shelf != nil {
					config.Catalogue = c.shelf
				}
				h := start(t, config)
				begun := time.Now()
				h.send(initialize)
				answer := h.next()
				if took := time.Since(begun); lookup(answer, "result", "serverInfo", "name") != `"`+c.server+`"` || took != c.opening {
					t.Errorf("after %s: %s", took, answer)
				}
				synctest.Wait() // a saved answer comes before the server's: what follows would join that try, or make another
				h.send(inited)
				synctest.Wait()
				begun = time.Now()
				h.send(listTools)
				answer = h.next()
				if took := time.Since(begun); toolNames(answer) != c.tools || took != c.listing {
					t.Errorf("after %s: %s", took, answer)
				}
				if n := len(c.up.sent()); n != c.requests {
					t.Errorf("%d requests: %q", n, c.up.sent())
				}
				h.send(`{"jsonrpc":"2.0","id":7,"method":"ping"}`)
				begun = time.Now()
				for l := h.next(); lookup(l, "id") != "7"; l = h.next() {
				}
				if took := time.Since(begun); took > time.Second {
					t.Errorf("ping took %s", took)
				}
				h.eof()
			})
		})
	}
}

// forbidden is a server that takes the login and nothing of this account.
func forbidden() *fake { return failingWith(&remote.Error{Kind: remote.KindForbidden, Status: 403}) }

func wantsLogin() error {
	return &remote.Error{Kind: remote.KindSignIn, Status: 401, Err: fmt.Errorf("%w: bare", remote.ErrSignIn)}
}

// scriptedLists answers at once, but its list of tools takes a while.
func scriptedLists(after time.Duration, tools string) *fake {
	slow := scripted(after, map[string]string{"tools/list": okay(tools)})
	quick := scripted(0, map[string]string{"initialize": okay(savedOpen)})
	return &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "tools/list" {
			return slow.on(ctx, m, h)
		}
		return quick.on(ctx, m, h)
	}}
}

// Of the saved opening every byte stays, but that lists may change.
func TestOpening_saved_passesByteForByte(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: scripted(0, map[string]string{"initialize": okay(savedOpen)}), Catalogue: full()})
	h.send(strings.Replace(initialize, `"id":0`, `"id":9007199254740993`, 1))
	want := `{"jsonrpc":"2.0","id":9007199254740993,"result":` + strings.Replace(savedOpen, `"tools":{}`, `"tools":{"listChanged":true}`, 1) + `}`
	if diff := cmp.Diff(want, h.next()); diff != "" {
		t.Error(diff)
	}
}

// A host is never told a version that it did not offer, nor one that nobody knows.
func TestOpening_ours_speaksTheHostsVersion(t *testing.T) {
	t.Parallel()
	for asked, told := range map[string]string{"2025-06-18": "2025-06-18", "2024-11-05": "2024-11-05", "2031-01-01": "2025-11-25", "": "2025-11-25"} {
		login := noSignIn(t)
		login.standing = bridge.StandingSignedOut
		h := start(t, bridge.Config{Remote: &fake{}, Login: login, Catalogue: full()})
		h.send(strings.Replace(initialize, "2025-11-25", asked, 1))
		if l := h.next(); asked != "2025-11-25" && lookup(l, "result", "protocolVersion") != `"`+told+`"` {
			t.Errorf("%q: %s", asked, l)
		}
	}
}

// What the server says while the host has a saved list is told if it is another
// one, and saved.
func TestList_lateAnswer_toldIfDifferent(t *testing.T) {
	t.Parallel()
	for list, told := range map[string]bool{savedTools: false, newTools: true} {
		synctest.Test(t, func(t *testing.T) {
			saved := full()
			h := start(t, bridge.Config{Remote: scriptedLists(3*time.Second, list), Catalogue: saved, Login: signedInLogin(t)})
			h.send(initialize, inited, listTools)
			h.next()
			if l := h.next(); toolNames(l) != "old" {
				t.Error(l)
			}
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if told {
				h.expect(changed)
			}
			if got := saved.list("2025-11-25", "tools/list"); got != list {
				t.Error(got)
			}
			if _, rest := h.eof(); len(rest) != 0 {
				t.Error(rest)
			}
		})
	}
}

func signedInLogin(t *testing.T) *fakeLogin {
	l := noSignIn(t)
	l.standing = bridge.StandingSignedIn
	return l
}

// The lists that our own opening promised and the server lacks are empty.
func TestList_promisedByUsAndLacking_isEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := scripted(2*time.Second, map[string]string{
			"initialize": okay(savedOpen), "tools/list": okay(newTools),
			"prompts/list": `"error":{"code":-32601,"message":"no"}`,
		})
		h := start(t, bridge.Config{Remote: up, Login: signedInLogin(t)})
		h.send(initialize)
		h.next()
		h.send(inited)
		time.Sleep(5 * time.Second)
		h.send(`{"id":5,"method":"prompts/list"}`)
		if l := h.next(); lookup(l, "result", "prompts") != "[]" {
			t.Error(l)
		}
		h.eof()
	})
}

// A server that is reached after the host was told that it is not: the host
// hears that its list is out of date, and gets the server's.
func TestOpening_lateServer_listChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := scripted(3*time.Second, map[string]string{"initialize": okay(savedOpen), "tools/list": okay(newTools)})
		saved := &shelf{}
		h := start(t, bridge.Config{Remote: up, Catalogue: saved, Login: signedInLogin(t)})
		h.send(initialize)
		h.next()
		h.send(inited, listTools)
		if l := h.next(); toolNames(l) != own {
			t.Error(l)
		}
		h.expect(changed)
		h.send(strings.Replace(listTools, `"id":1`, `"id":2`, 1))
		for l := h.next(); ; l = h.next() {
			if l == changed {
				continue // the answer to the first list came late too
			}
			if toolNames(l) != "new" {
				t.Error(l)
			}
			break
		}
		h.eof()
		if got := saved.list("2025-11-25", "tools/list"); got != newTools {
			t.Error(got)
		}
	})
}

// Twenty probes that are killed right away open nothing (HOSTS H17).
func TestOpening_probes_openNoSignIn(t *testing.T) {
	t.Parallel()
	for range 20 {
		login := noSignIn(t)
		login.standing = bridge.StandingSignedOut
		h := start(t, bridge.Config{Remote: &fake{}, Login: login})
		h.send(initialize, inited, listTools)
		h.next()
		h.eof()
	}
}
