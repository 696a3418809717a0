package bridge_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
)

func hostWith(capabilities string) string {
	return `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":` + capabilities + `,"clientInfo":{"name":"h","version":"1"}}}`
}

// atAskingShop is a host that can ask its person about each write.
func atAskingShop(t *testing.T, s *shop, capabilities string) *host {
	t.Helper()
	h := start(t, bridge.Config{Remote: s, Policy: policy.New(policy.Rules{Confirm: true})})
	h.send(hostWith(capabilities), inited)
	h.next()
	synctest.Wait()
	return h
}

// question reads the question and returns its id.
func (h *host) question(parts ...string) string {
	h.t.Helper()
	l := h.next()
	if l == changed { // before or after it
		l = h.next()
		defer func() { h.lines <- changed }()
	}
	message := lookup(l, "params", "message")
	if lookup(l, "method") != `"elicitation/create"` || lookup(l, "params", "requestedSchema") != `{"type":"object","properties":{}}` || lookup(l, "params", "mode") != "" {
		h.t.Fatal(l)
	}
	for _, p := range parts {
		if !strings.Contains(message, p) {
			h.t.Errorf("%s lacks %q", message, p)
		}
	}
	return lookup(l, "id")
}

func (h *host) decide(id, answer string) { h.send(`{"jsonrpc":"2.0","id":` + id + `,` + answer + `}`) }

func TestConfirm_personSaysYes_sentOnceAsItWas(t *testing.T) {
	t.Parallel()
	for _, capabilities := range []string{`{"elicitation":{}}`, `{"elicitation":{"form":{}}}`, `{"elicitation":{"form":{},"url":{}}}`} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(wholeList)
			h := atAskingShop(t, s, capabilities)
			h.send(call1("create_link"))
			id := h.question("create_link", `{\"a\":1.0}`)
			time.Sleep(40 * time.Second)
			h.decide(id, accept)
			h.expect(`{"id":1,"result":{}}`)
			h.decide(id, accept) // once more: it is nobody's
			h.send(call1("get_link"))
			h.expect(`{"id":1,"result":{}}`)
			if _, rest := h.eof(); len(rest) != 0 {
				t.Error(rest)
			}
			if calls := s.calls(); len(calls) != 2 || calls[0] != call1("create_link") || calls[1] != call1("get_link") {
				t.Errorf("the server got %s", calls)
			}
		})
	}
}

func TestConfirm_anythingButYes_notSent(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		`"result":{"action":"decline"}`, `"result":{"action":"cancel"}`, `"result":{"action":"ACCEPT"}`, `"result":{"action":["accept"]}`, `"result":{}`,
		`"result":{"Action":"accept"}`, `"error":{"code":-32601,"message":"no"}`, `"error":{"code":1,"message":"accept"},"action":"accept"`,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(wholeList)
			h := atAskingShop(t, s, `{"elicitation":{}}`)
			h.send(call1("refund"))
			h.decide(h.question("refund"), answer)
			if text, isError := h.nextText(); !isError || !strings.Contains(text, "did not say yes") {
				t.Errorf("%s: %s", answer, text)
			}
			h.eof()
			if calls := s.calls(); len(calls) != 0 {
				t.Errorf("%s: the server got %s", answer, calls)
			}
		})
	}
}

// A host that cannot ask gets the reason.
func TestConfirm_hostCannotAsk_refused(t *testing.T) {
	t.Parallel()
	for _, capabilities := range []string{`{}`, `{"elicitation":{"url":{}}}`, `{"elicitation":true}`, `{"elicitation":null}`, `{"sampling":{}}`} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(wholeList)
			h := atAskingShop(t, s, capabilities)
			h.send(call1("create_link"))
			if text, isError := h.nextText(); !isError || !strings.Contains(text, "cannot show the question") {
				t.Errorf("%s: %s", capabilities, text)
			}
			h.send(call1("get_link"))
			h.expect(`{"id":1,"result":{}}`)
			h.eof()
			if calls := s.calls(); len(calls) != 1 {
				t.Errorf("the server got %s", calls)
			}
		})
	}
}

// A person who does not answer says no, before the host has given the call up.
func TestConfirm_noAnswer_notSent(t *testing.T) {
	t.Parallel()
	for token, limit := range map[string]time.Duration{"": 50 * time.Second, `,"_meta":{"progressToken":"p"}`: 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(wholeList)
			h := atAskingShop(t, s, `{"elicitation":{}}`)
			begun := time.Now()
			h.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_link"` + token + `}}`)
			id := h.question("Arguments: none")
			steps := 0
			l := h.next()
			for ; lookup(l, "method") == `"notifications/progress"`; l = h.next() {
				if steps++; lookup(l, "params", "message") != `"Waiting for the user to say yes or no"` {
					t.Error(l)
				}
			}
			if waited := time.Since(begun); waited != limit || (steps > 0) != (token != "") {
				t.Errorf("waited %v, %d steps", waited, steps)
			}
			if !strings.Contains(l, "did not answer in time") {
				t.Error(l)
			}
			h.expect(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`)
			h.decide(id, accept) // too late
			h.eof()
			if calls := s.calls(); len(calls) != 0 {
				t.Errorf("the server got %s", calls)
			}
		})
	}
}

// What went by before the question counts: the host began to wait with its call.
func TestConfirm_slowListBefore_limitOfTheWholeCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(wholeList)
		s.slow(15 * time.Second)
		h := atAskingShop(t, s, `{"elicitation":{}}`)
		begun := time.Now()
		h.send(call1("create_link"))
		id := h.question()
		if l := h.next(); !strings.Contains(l, "did not answer in time") || time.Since(begun) != 50*time.Second {
			t.Errorf("after %v: %s", time.Since(begun), l)
		}
		h.expect(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`)
		h.eof()
	})
}

func TestConfirm_callCancelled_questionToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(wholeList)
		h := atAskingShop(t, s, `{"elicitation":{}}`)
		h.send(call1("create_link"))
		id := h.question()
		h.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
		h.expect(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`)
		h.decide(id, accept)
		if _, rest := h.eof(); len(rest) != 0 {
			t.Error(rest)
		}
		if calls := s.calls(); len(calls) != 0 {
			t.Errorf("the server got %s", calls)
		}
	})
}

// Each question is about its own call.
func TestConfirm_twoCalls_answersDoNotMix(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(wholeList)
		h := atAskingShop(t, s, `{"elicitation":{}}`)
		h.send(call1("create_link"))
		first := h.question("create_link")
		h.send(strings.Replace(call1("refund"), `"id":1`, `"id":2`, 1))
		second := h.question("refund")
		h.decide(first, `"result":{"action":"decline"}`)
		if l := h.next(); lookup(l, "id") != "1" || lookup(l, "result", "isError") != "true" {
			t.Error(l)
		}
		h.decide(second, accept)
		h.expect(`{"id":2,"result":{}}`)
		h.eof()
		if calls := s.calls(); len(calls) != 1 || !strings.Contains(calls[0], "refund") {
			t.Errorf("the server got %s", calls)
		}
	})
}

// The question cannot be made to say less than what is sent, and moves no terminal.
func TestConfirm_question_showsTheInnerCallPlainly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{Policy: policy.New(policy.Rules{Confirm: true})})
		d.send(hostWith(`{"elicitation":{}}`), inited, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		d.next()
		d.next()
		d.send(use("2", "payu_call_tool", `{"name":"new","arguments":{"amount":100000,"note":"\u001b[2J`+"\u202e"+`"}}`))
		synctest.Wait()
		d.signIn()
		id := d.question("tool new,", `\"amount\":100000`, `\\u001b[2J \"}`)
		if strings.Contains(id, "sign-in") {
			t.Error(id)
		}
		d.expect(changed)
		d.decide(id, accept)
		d.expect(`{"id":2,"result":{}}`)
		d.eof()
		if d.calls() != 1 {
			t.Error(d.up.sent())
		}
	})
}

const asking = `{"elicitation":{"form":{}}}`

func modern1(id, params, capabilities string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{` + params +
		`,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"m"},"io.modelcontextprotocol/clientCapabilities":` + capabilities + `}}}`
}

// A modern host is asked for input; its yes counts once, and for the very call.
func TestConfirm_modernHost_yesCountsOnceForThisCall(t *testing.T) {
	t.Parallel()
	const pay = `"name":"create_link","arguments":{"a":1.0}`
	for _, earlier := range []string{"", `,"inputResponses":{"k":{"x":1.0}},"requestState":"server's"`} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(wholeList)
			h := start(t, bridge.Config{Remote: s, Policy: policy.New(policy.Rules{Confirm: true})})
			ask := func() string {
				t.Helper()
				h.send(modern1("1", pay+earlier, asking))
				l := h.next()
				if lookup(l, "result", "resultType") != `"input_required"` || !strings.Contains(lookup(l, "result", "inputRequests", "payu_confirm", "params", "message"), "create_link") {
					t.Fatal(l)
				}
				return lookup(l, "result", "requestState")
			}
			back := func(params, state, action string) string {
				return modern1("2", params+`,"inputResponses":{"payu_confirm":{"action":"`+action+`"}},"requestState":`+state, asking)
			}
			refused := func(line, why string) {
				t.Helper()
				h.send(line)
				if text, isError := h.nextText(); !isError || !strings.Contains(text, why) {
					t.Errorf("%s: %s", line, text)
				}
			}
			refused(back(pay, ask(), "decline"), "did not say yes")
			refused(back(`"name":"create_link","arguments":{"a":2.0}`, ask(), "accept"), "another one than the user was asked about")
			refused(back(`"name":"refund","arguments":{"a":1.0}`, ask(), "accept"), "another one than the user was asked about")
			refused(back(pay, `"payu-mcp/confirm:guess"`, "accept"), "not to a question that is still open")
			old := ask()
			time.Sleep(11 * time.Minute)
			refused(back(pay, old, "accept"), "not to a question that is still open")
			if calls := s.calls(); len(calls) != 0 {
				t.Errorf("the server got %s", calls)
			}
			state := ask()
			h.send(back(pay, state, "accept"))
			h.expect(`{"id":2,"result":{}}`)
			refused(back(pay, state, "accept"), "not to a question that is still open")
			h.send(modern1("3", pay, `{"elicitation":{"url":{}}}`))
			if text, isError := h.nextText(); !isError || !strings.Contains(text, "cannot show the question") {
				t.Error(text)
			}
			h.eof()
			calls := s.calls()
			if len(calls) != 1 || !sameMembers(lookup(calls[0], "params"), lookup(modern1("2", pay+earlier, asking), "params")) {
				t.Errorf("the server got %s", calls)
			}
		})
	}
}

// The answer that a modern host makes up without a question is none.
func TestConfirm_modernHost_answerWithoutQuestion_asks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(wholeList)
		h := start(t, bridge.Config{Remote: s, Policy: policy.New(policy.Rules{Confirm: true})})
		h.send(modern1("1", `"name":"create_link","inputResponses":{"payu_confirm":{"action":"accept"}}`, asking))
		if l := h.next(); lookup(l, "result", "resultType") != `"input_required"` {
			t.Error(l)
		}
		h.eof()
		if calls := s.calls(); len(calls) != 0 {
			t.Errorf("the server got %s", calls)
		}
	})
}
