package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	reads     = `{"name":"get_link","annotations":{"readOnlyHint":true}}`
	writes    = `{"name":"create_link","annotations":{"readOnlyHint":false}}`
	bare      = `{"name":"refund"}`
	lying     = `{"name":"send_link","annotations":{"readOnlyHint":"true"}}`
	safeList  = reads
	wholeList = reads + `,` + writes + `,` + bare + `,` + lying
)

// shop is a server with tools that a test may change. pages are the pages of its
// list.
type shop struct {
	fake

	mu      sync.Mutex
	pages   []string
	lists   int
	changed func(jsonmsg.Message) // tells the host's side that the list has changed
}

func newShop(pages ...string) *shop {
	s := &shop{pages: pages}
	s.on = s.serve
	s.listen = func(ctx context.Context, deliver func(jsonmsg.Message)) {
		s.mu.Lock()
		s.changed = deliver
		s.mu.Unlock()
		<-ctx.Done()
	}
	return s
}

func (s *shop) serve(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
	if m.Method == "initialize" {
		h.Deliver(scan(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}`))
		return nil
	}
	if m.Method != "tools/list" {
		return echo(ctx, m, h)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists++
	n, next := 0, ""
	_, _ = fmt.Sscanf(jsonmsg.Text(jsonmsg.Lookup(m.Raw, "params", "cursor")), "%d", &n)
	if n+1 < len(s.pages) {
		next = fmt.Sprintf(`,"nextCursor":"%d"`, n+1)
	}
	h.Deliver(scan(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"tools":[` + s.pages[n] + `]` + next + `}}`))
	return nil
}

// slow makes its list take a time from now on.
func (s *shop) slow(pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	on := s.on
	s.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "tools/list" {
			time.Sleep(pause) // of the bubble's clock
		}
		return on(ctx, m, h)
	}
}

// become changes the list; told: and says so.
func (s *shop) become(told bool, pages ...string) {
	s.mu.Lock()
	s.pages = pages
	deliver := s.changed
	s.mu.Unlock()
	if told {
		deliver(scan(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`))
	}
}

func (s *shop) listed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists
}

// calls are the calls that reached it, in whatever disguise.
func (s *shop) calls() []string {
	var calls []string
	for _, l := range s.sent() {
		if strings.Contains(l, "_link") || strings.Contains(l, "refund") {
			calls = append(calls, l)
		}
	}
	return calls
}

// atShop is a host whose calls the rules hold back. It has opened, and listed
// nothing yet.
func atShop(t *testing.T, s *shop, rules ...policy.Rules) *host {
	t.Helper()
	h := start(t, bridge.Config{Remote: s, Policy: policy.New(rules...)})
	h.send(initialize, inited)
	h.next()
	synctest.Wait()
	return h
}

func call1(name string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + name + `","arguments":{"a":1.0}}}`
}

const list1 = `{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}`

// The host sees what it may use, and every byte of that as the server wrote it.
func TestBrakes_list_hidesWhatMayNotBeCalled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules policy.Rules
		want  string
	}{
		{policy.Rules{}, wholeList},
		{policy.Rules{Confirm: true}, wholeList},
		{policy.Rules{ReadOnly: true}, reads},
		{policy.Rules{Allow: []string{"*_link"}}, reads + `,` + writes + `,` + lying},
		{policy.Rules{Block: []string{"REFUND", "send*"}}, reads + `,` + writes},
		{policy.Rules{Allow: []string{"create*"}, ReadOnly: true}, ``},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := atShop(t, newShop(wholeList), c.rules)
			h.send(list1)
			h.expect(`{"jsonrpc":"2.0","id":2,"result":{"tools":[` + c.want + `]}}`)
			h.eof()
		})
	}
}

// Nothing that writes gets through, however it is written, and before whatever
// list.
func TestBrakes_hostileRequests_noWriteGetsThrough(t *testing.T) {
	t.Parallel()
	rules := map[string]policy.Rules{
		"read-only": {ReadOnly: true},
		"allow":     {Allow: []string{"get*"}},
		"block":     {Block: []string{"create*", "refund", "send*", "payu*"}},
		"confirm":   {Confirm: true}, // this host can ask nobody
	}
	for _, line := range []string{
		call1("create_link"), call1("refund"), call1("send_link"), call1("hidden_refund"), call1("CREATE_LINK"), call1("create_link "), call1("create_lin\\u212a"), call1("create_link\\u0000"), call1("get_link\\u0000create_link"),
		call1("\\u0063reate_link"), call1("get_link\\ud800"), call1("Refund"), call1("payu_call_tool_refund"),
		`{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"\u006eame":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"uri":"get_link","Name":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_link","NAME":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_link","name\u0000":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_link","arguments":{},"Arguments":{"x":"refund"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_link"},"Params":{"name":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["create_link"]}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["create_link"]}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/list","method\u0000":"tools/call","params":{"name":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"TOOLS/CALL","params":{"name":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call\u0000","params":{"name":"create_link"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"payu_call_tool","arguments":{"name":"create_link"}}}`,
	} {
		for brake, r := range rules {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(wholeList)
				h := atShop(t, s, r)
				h.send(line)
				l := h.next()
				if lookup(l, "result", "isError") != "true" && lookup(l, "error", "code") == "" {
					t.Errorf("%s: %s was answered %s", brake, line, l)
				}
				h.eof()
				if calls := s.calls(); len(calls) != 0 {
					t.Errorf("%s: %s reached the server as %s", brake, line, calls)
				}
			})
		}
	}
}

// A call that wants no answer is no call, and an answer of the host is none.
func TestBrakes_callWithoutAnId_dropped(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"create_link"}}`,
		`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"get_link"}}`,
		`{"jsonrpc":"2.0","method":"notifications/x","METHOD":"tools/call","params":{"name":"create_link"}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","METHOD":"tools/call","params":{"requestId":7,"name":"create_link"}}`,
		`{"jsonrpc":"2.0","id":7,"result":{},"Method":"tools/call","params":{"name":"create_link"}}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(wholeList)
			h := atShop(t, s, policy.Rules{ReadOnly: true})
			h.send(line, `{"jsonrpc":"2.0","id":3,"method":"ping"}`)
			h.next()
			h.eof()
			if calls := s.calls(); len(calls) != 0 {
				t.Errorf("%s reached the server as %s", line, calls)
			}
		})
	}
}

// Before the first list nothing is known of a tool: the server is asked, page
// after page, and once for all calls.
func TestBrakes_callBeforeTheFirstList_listIsAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(bare, writes, reads)
		h := atShop(t, s, policy.Rules{ReadOnly: true})
		h.send(call1("get_link"), strings.Replace(call1("get_link"), `"id":1`, `"id":2`, 1), strings.Replace(call1("create_link"), `"id":1`, `"id":3`, 1))
		var got []string
		for range 3 {
			got = append(got, h.next())
		}
		slices.Sort(got)
		if got[0] != `{"id":1,"result":{}}` || got[1] != `{"id":2,"result":{}}` || !strings.Contains(got[2], "set to read only") {
			t.Error(got)
		}
		if n := s.listed(); n != 3 {
			t.Errorf("%d pages asked for", n)
		}
		h.eof()
		if calls := s.calls(); len(calls) != 2 || calls[0] != call1("get_link") && calls[1] != call1("get_link") {
			t.Errorf("the server got %s", calls)
		}
	})
}

// A call that has waited too long for the list is not sent behind its host's back,
// unless its tool only reads; the next one does not wait.
func TestBrakes_listTakesLong_lateWriteNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(wholeList)
		s.slow(21 * time.Second)
		h := atShop(t, s, policy.Rules{Block: []string{"refund"}})
		h.send(call1("create_link"))
		if l := h.next(); !strings.Contains(l, "Nothing was sent to PayU") || !strings.Contains(l, "repeat the request") || len(s.calls()) != 0 {
			t.Errorf("%s; the server got %s", l, s.calls())
		}
		h.send(call1("create_link"))
		h.expect(`{"id":1,"result":{}}`)
		h.eof()

		h = atShop(t, s, policy.Rules{Block: []string{"refund"}})
		h.send(call1("get_link"))
		h.expect(`{"id":1,"result":{}}`)
		h.eof()
	})
}

// A list that cannot be had, or that names a tool twice, makes no tool one that
// only reads.
func TestBrakes_noUseOfTheList_refused(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{
		reads + `,` + reads: "set to read only",
		reads + `,{"name":"get_link","annotations":{"readOnlyHint":false}}`:            "set to read only",
		`{"name":"get_link","Name":"create_link","annotations":{"readOnlyHint":true}}`: "has none of the name",
		`{"name":"Get_link","annotations":{"readOnlyHint":true}}`:                      "has none of the name",
		``: "has none of the name",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(page)
			h := atShop(t, s, policy.Rules{ReadOnly: true})
			h.send(call1("get_link"))
			if text, isError := h.nextText(); !isError || !strings.Contains(text, want) {
				t.Errorf("%s: %s", page, text)
			}
			h.eof()
			if calls := s.calls(); len(calls) != 0 {
				t.Errorf("%s: the server got %s", page, calls)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newShop(reads)
		s.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method == "tools/list" {
				return &remote.Error{Kind: remote.KindUnreachable, Err: errAny}
			}
			return s.serve(ctx, m, h)
		}
		h := atShop(t, s, policy.Rules{ReadOnly: true})
		h.send(call1("get_link"))
		if text, isError := h.nextText(); !isError || !strings.Contains(text, "cannot find out") {
			t.Error(text)
		}
		h.eof()
		if calls := s.calls(); len(calls) != 0 {
			t.Errorf("the server got %s", calls)
		}
	})
}

// A call is judged by the newest list: one that the server says has changed, that
// passes by, or that is old is asked for anew.
func TestBrakes_listChangedInBetween_newestCounts(t *testing.T) {
	t.Parallel()
	const nowWrites = `{"name":"get_link","annotations":{"readOnlyHint":false}}`
	for name, change := range map[string]func(h *host, s *shop){
		"told": func(h *host, s *shop) {
			s.become(true, nowWrites)
			h.next() // the host hears it too
		},
		"listed": func(h *host, s *shop) {
			s.become(false, nowWrites)
			h.send(list1)
			h.expect(`{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}`)
		},
		"paged": func(h *host, s *shop) {
			s.become(false, writes, nowWrites)
			h.send(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"1"}}`)
			h.expect(`{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}`)
		},
		"old": func(_ *host, s *shop) {
			s.become(false, nowWrites)
			time.Sleep(11 * time.Minute)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(safeList)
			h := atShop(t, s, policy.Rules{ReadOnly: true})
			h.send(list1)
			h.expect(`{"jsonrpc":"2.0","id":2,"result":{"tools":[` + safeList + `]}}`)
			h.send(call1("get_link"))
			h.expect(`{"id":1,"result":{}}`)
			if n := s.listed(); n != 1 {
				t.Errorf("%s: %d lists before the change", name, n)
			}
			change(h, s)
			h.send(call1("get_link"))
			if text, isError := h.nextText(); !isError || !strings.Contains(text, "set to read only") {
				t.Errorf("%s: %s", name, text)
			}
			h.eof()
			if calls := s.calls(); len(calls) != 1 {
				t.Errorf("%s: the server got %s", name, calls)
			}
		})
	}
}

// A list on its way: each page is sifted, and one that comes as an event is too.
func TestBrakes_pages_eachIsSifted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := atShop(t, newShop(writes+`,`+reads, bare, `{"name":"last","annotations":{"readOnlyHint":true}}`), policy.Rules{ReadOnly: true})
		for i, want := range []string{reads + `],"nextCursor":"1"`, `],"nextCursor":"2"`, `{"name":"last","annotations":{"readOnlyHint":true}}]`} {
			h.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"%d"}}`, i))
			h.expect(`{"jsonrpc":"2.0","id":2,"result":{"tools":[` + want + `}}`)
		}
		h.eof()
	})
}
