package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/bridge/translate"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// ledger is a journal that keeps what it is told, and refuses if a test says so.
type ledger struct {
	mu     sync.Mutex
	told   []string
	refuse error
	pause  time.Duration
	n      int
}

// Begin implements bridge.Journal.
func (l *ledger) Begin(ctx context.Context, c journal.Call) (string, error) {
	if err := l.wait(ctx); err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	id := fmt.Sprintf("e%d", l.n)
	l.told = append(l.told, strings.Join([]string{id, "begin", c.Tool, c.InvoiceNumber, c.RequestID}, " "))
	return id, nil
}

// Again implements bridge.Journal.
func (l *ledger) Again(ctx context.Context, id, requestID string) error {
	if err := l.wait(ctx); err != nil {
		return err
	}
	l.note(id + " again " + requestID)
	return nil
}

// End implements bridge.Journal.
func (l *ledger) End(id string, o journal.Outcome) { l.note(id + " " + string(o)) }

func (l *ledger) wait(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-time.After(l.pause):
		return l.refuse
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *ledger) note(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, line)
}

func (l *ledger) is(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if diff := cmp.Diff(want, l.told); diff != "" {
		t.Errorf("the journal (-want +got):\n%s", diff)
	}
}

func (l *ledger) become(refuse error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = refuse
}

var errFullDisk = hint.With(errors.New("the disk is full"), "make room")

// atTill is a host before a shop that keeps a journal; it has listed the tools.
func atTill(t *testing.T, s *shop, l *ledger, c bridge.Config) *host {
	t.Helper()
	c.Remote, c.Journal, c.JournalCommand = s, l, showUnknown
	h := start(t, c)
	h.send(initialize, inited)
	h.next()
	h.send(list1)
	h.next()
	return h
}

// calling lets the shop's calls do something.
func (s *shop) calling(do func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error) {
	on := s.on
	s.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "tools/call" {
			return do(ctx, m, h)
		}
		return on(ctx, m, h)
	}
}

// lose is a server that takes a call and gives no answer.
func lose(_ context.Context, _ jsonmsg.Message, h remote.Hooks) error {
	h.Sent()
	return &remote.Error{Kind: remote.KindUnknownOutcome, RequestID: fakeRequestID, MayHaveRun: true, At: time.Unix(0, 0)}
}

func invoiced(name, arguments string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + name + `","arguments":` + arguments + `}}`
}

// Of the arguments the journal gets the invoice number, and nothing else.
func TestJournal_arguments_invoiceNumberOnly(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		`{"invoiceNumber":"INV-1","amount":12345,"customerEmail":"a@shop.example","cardNumber":"4111111111111111"}`: "INV-1",
		`{"invoiceNumber":1042}`: "1042", `{"invoiceNumber":-1.50}`: "-1.50",
		`{"invoiceNumber":"IN\u0056-\u20b9"}`:                 "INV-₹",
		`{"invoiceNumber":{"cardNumber":"4111111111111111"}}`: "", `{"invoiceNumber":["a"]}`: "", `{"invoiceNumber":null}`: "", `{"invoiceNumber":true}`: "",
		`{"invoicenumber":"INV-1"}`: "", `{"other":{"invoiceNumber":"INV-1"}}`: "", `"INV-1"`: "", `{}`: "",
		`{"invoiceNumber":"INV-1","invoiceNumber":"INV-2"}`:     "INV-2", // as most readers take it
		`{"invoiceNumber":"` + strings.Repeat("9", 2000) + `"}`: "",
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &ledger{}
			h := atTill(t, newShop(wholeList), l, bridge.Config{})
			h.send(invoiced("create_link", arguments))
			h.next()
			h.eof()
			l.is(t, "e1 begin create_link "+want+" "+fakeRequestID, "e1 done")
		})
	}
}

// A tool that only reads never comes near the journal; one that does not say so,
// or that nobody knows, does.
func TestJournal_readOnlyTools_notNoted(t *testing.T) {
	t.Parallel()
	for name, noted := range map[string]bool{"get_link": false, "create_link": true, "refund": true, "send_link": true, "unheard_of": true} {
		synctest.Test(t, func(t *testing.T) {
			l := &ledger{}
			h := atTill(t, newShop(wholeList), l, bridge.Config{})
			h.send(call1(name))
			h.next()
			h.eof()
			if (len(l.told) == 2) != noted || len(l.told) > 2 {
				t.Errorf("%s: %q", name, l.told)
			}
		})
	}
}

// A journal that cannot be written holds up no tool that only reads, also when
// nobody has asked for the list yet; a write is not sent, and its answer says why.
func TestJournal_fullDisk_readsGoOnWritesAreToldBefore(t *testing.T) {
	t.Parallel()
	for _, listed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l, s := &ledger{refuse: errFullDisk}, newShop(wholeList)
			var h *host
			if listed {
				h = atTill(t, s, l, bridge.Config{})
			} else {
				h = start(t, bridge.Config{Remote: s, Journal: l})
				h.send(initialize, inited)
				h.next()
			}
			h.send(call1("get_link"))
			h.expect(`{"id":1,"result":{}}`)
			h.send(call1("create_link"))
			text, isError := h.nextText()
			for _, part := range []string{"This computer", "nothing was sent to PayU", "the disk is full", "make room"} {
				if !strings.Contains(text, part) || !isError {
					t.Errorf("%q lacks %q", text, part)
				}
			}
			if calls := s.calls(); len(calls) != 1 || calls[0] != call1("get_link") {
				t.Errorf("the server got %s", calls)
			}
			l.become(nil)
			h.send(call1("create_link"))
			h.expect(`{"id":1,"result":{}}`)
			h.eof()
			l.is(t, "e1 begin create_link  "+fakeRequestID, "e1 done")
		})
	}
}

// What is kept back here has no entry.
func TestJournal_keptBack_noEntry(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]policy.Rules{"read-only": {ReadOnly: true}, "blocked": {Block: []string{"create*"}}, "cannot ask": {Confirm: true}} {
		synctest.Test(t, func(t *testing.T) {
			l, s := &ledger{}, newShop(wholeList)
			h := atTill(t, s, l, bridge.Config{Policy: policy.New(rules)})
			h.send(call1("create_link"))
			if _, isError := h.nextText(); !isError {
				t.Errorf("%s: it passed", name)
			}
			h.eof()
			l.is(t)
		})
	}
}

// What the server's answer says of a call is what the journal says.
func TestJournal_answers_areItsOutcome(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]journal.Outcome{
		`"result":{"content":[{"type":"text","text":"{\"status\":0}"}]}`:                                  journal.Done,
		`"result":{"content":[{"type":"text","text":"{\"status\":-1,\"message\":\"exists\"}"}]}`:          journal.Failed,
		`"result":{"content":[{"type":"text","text":"no"}],"isError":true}`:                               journal.Failed,
		`"result":{"isError":false,"content":[]}`:                                                         journal.Done,
		`"result":{"content":"odd"}`:                                                                      journal.Done,
		`"error":{"code":-32000,"message":"no"}`:                                                          journal.Failed,
		`"result":{"resultType":"input_required","requestState":"s"}`:                                     journal.Asked,
		`"result":{"resultType":"complete","content":[]}`:                                                 journal.Done,
		`"result":{"resultType":"task"}`:                                                                  journal.Unknown,
		`"result":{"content":[{"type":"text","text":"{\"status\":\"-1\"}"},{"type":"text","text":"-1"}]}`: journal.Done,
	} {
		synctest.Test(t, func(t *testing.T) {
			l, s := &ledger{}, newShop(wholeList)
			s.calling(func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
				h.Sent()
				h.Deliver(scan(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,` + answer + `}`))
				return nil
			})
			h := atTill(t, s, l, bridge.Config{})
			h.send(call1("create_link"))
			h.expect(`{"jsonrpc":"2.0","id":1,` + answer + `}`)
			h.eof()
			l.is(t, "e1 begin create_link  "+fakeRequestID, "e1 "+string(want))
		})
	}
}

// An error says in the journal what it says of the call; of an unknown outcome the
// host hears where its person finds it.
func TestJournal_errors_areItsOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		head int // status of an answer before it; 0: none
		want journal.Outcome
	}{
		{&remote.Error{Kind: remote.KindUnknownOutcome, MayHaveRun: true}, 0, journal.Unknown},
		{&remote.Error{Kind: remote.KindUnknownOutcome, MayHaveRun: true, Status: 502}, 502, journal.Unknown},
		{&remote.Error{Kind: remote.KindUnreadable, MayHaveRun: true, Status: 200}, 200, journal.Unknown},
		{&remote.Error{Kind: remote.KindTooLarge, MayHaveRun: true, Status: 200}, 200, journal.Unknown},
		{errAny, 0, journal.Unknown},
		{nil, 200, journal.Unknown}, // no answer at all
		{&remote.Error{Kind: remote.KindUnreachable}, 0, journal.NotSent},
		{&remote.Error{Kind: remote.KindUnreachable}, 401, journal.NotSent},
		{&remote.Error{Kind: remote.KindCancelled}, 200, journal.Failed}, // between two rounds
		{&remote.Error{Kind: remote.KindToken}, 0, journal.NotSent},
		{&remote.Error{Kind: remote.KindForbidden, Status: 403}, 403, journal.Failed},
		{&remote.Error{Kind: remote.KindRateLimited, Status: 429}, 429, journal.Failed},
		{&remote.Error{Kind: remote.KindRedirect, Status: 302}, 302, journal.Failed},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, s := &ledger{}, newShop(wholeList)
			s.calling(func(_ context.Context, _ jsonmsg.Message, h remote.Hooks) error {
				if c.head != 0 {
					h.Head(c.head, fakeRequestID)
				}
				return c.err
			})
			h := atTill(t, s, l, bridge.Config{})
			h.send(call1("create_link"))
			line := h.next()
			pointed := strings.Contains(line, "check in PayU before trying again: `"+showUnknown+"`, entry e1") && lookup(line, "error", "data", "entry") == `"e1"`
			if pointed != (c.want == journal.Unknown) {
				t.Errorf("%v: %s", c.err, line)
			}
			h.eof()
			l.is(t, "e1 begin create_link  "+fakeRequestID, "e1 "+string(c.want))
		})
	}
}

// However often a call goes out, it has one entry: here after a sign-in that was
// asked for more, and in several rounds of a modern server behind a legacy host.
func TestJournal_callInSeveralTries_oneEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		d := atDoor(t, page, bridge.Config{Journal: l})
		visits := 0
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
			visits++
			v := newVisit()
			time.AfterFunc(time.Second, func() { v.end(nil) })
			return v.invitation(page), nil
		})
		d.up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if visits == 1 {
				return wantsMore()
			}
			return echo(ctx, m, h)
		}
		d.send(slow)
		d.expect(`{"id":1,"result":{}}`)
		d.eof()
		l.is(t, "e1 begin slow  "+fakeRequestID, "e1 again "+fakeRequestID, "e1 done")
	})
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		asked := 0
		up := &fake{on: func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
			answer := `{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}`
			if m.Method == "tools/call" {
				asked++
				answer = `{"resultType":"complete","content":[]}`
				if asked < 3 {
					answer = `{"resultType":"input_required","requestState":"s"}`
				}
			}
			h.Deliver(scan(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":` + answer + `}`))
			return nil
		}}
		modern := func() remote.Era { return remote.EraModern }
		h := start(t, bridge.Config{Remote: translate.New(up, modern, nil), Era: modern, Journal: l})
		h.send(initialize, inited)
		h.next()
		h.send(invoiced("create_link", `{"invoiceNumber":"INV-1"}`))
		h.next()
		h.eof()
		l.is(t, "e1 begin create_link INV-1 "+fakeRequestID, "e1 again "+fakeRequestID, "e1 again "+fakeRequestID, "e1 done")
	})
}

// A call that its host has cancelled is in the journal with what the server said in
// the end, or as unknown; the host hears nothing.
func TestJournal_cancelledByTheHost_noted(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]journal.Outcome{
		`"result":{"content":[]}`: journal.Done, `"error":{"code":-32800,"message":"cancelled"}`: journal.Unknown, "": journal.Unknown,
	} {
		synctest.Test(t, func(t *testing.T) {
			l, s := &ledger{}, newShop(wholeList)
			s.calling(func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
				h.Sent()
				if answer == "" {
					<-ctx.Done()
					return &remote.Error{Kind: remote.KindUnknownOutcome, MayHaveRun: true}
				}
				time.Sleep(2 * time.Second)
				h.Deliver(scan(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,` + answer + `}`))
				return nil
			})
			h := atTill(t, s, l, bridge.Config{})
			h.send(call1("create_link"))
			synctest.Wait()
			h.send(cancel)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			l.is(t, "e1 begin create_link  "+fakeRequestID, "e1 "+string(want))
			if _, rest := h.eof(); len(rest) != 0 {
				t.Errorf("the host heard %q", rest)
			}
		})
	}
}

// The host goes away while a call is at the server, or while the disk is slow.
func TestJournal_hostGoes_entryEnded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pause time.Duration
		want  []string
	}{
		"call at the server": {0, []string{"e1 begin create_link  " + fakeRequestID, "e1 unknown"}},
		"disk is slow":       {time.Hour, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, s := &ledger{pause: c.pause}, newShop(wholeList)
			s.calling(func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
				h.Sent()
				<-ctx.Done()
				return lose(ctx, m, h)
			})
			h := atTill(t, s, l, bridge.Config{})
			h.send(call1("create_link"))
			synctest.Wait()
			_, rest := h.eof()
			if len(rest) != 1 {
				t.Errorf("%s: %q", name, rest)
			}
			synctest.Wait()
			l.is(t, c.want...)
		})
	}
}

// A call that wants no answer could have no entry that tells what became of it.
func TestJournal_callWithoutAnID_dropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := &ledger{}, newShop(wholeList)
		h := atTill(t, s, l, bridge.Config{})
		h.send(`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"create_link"}}`, `{"jsonrpc":"2.0","id":3,"method":"ping"}`)
		h.next()
		h.eof()
		l.is(t)
		if slices.ContainsFunc(s.sent(), func(l string) bool { return strings.Contains(l, "create_link") }) {
			t.Errorf("the server got %q", s.sent())
		}
	})
}
