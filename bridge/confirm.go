package bridge

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// The brake --confirm: before a call that may change something its person is
// asked, by elicitation in mode "form" with nothing to fill in. In the legacy era
// that is a request to the host, in the modern one a result that asks for input
// (MCP 2025-11-25 client/elicitation, 2026-07-28 basic/patterns/mrtr).

const (
	// confirmID begins the ids of our questions to a legacy host.
	confirmID = "payu-mcp/confirm/"
	// confirmKey names our question among the requests for input.
	confirmKey = "payu_confirm"
	// confirmPrefix marks the state of a call that comes back with the answer.
	confirmPrefix = "payu-mcp/confirm:"
	// maxQuestions is how many questions to modern hosts are kept; the oldest gives way.
	maxQuestions = 256
)

// questions are those to modern hosts that have no answer yet, by a name that
// nobody can guess. Each answer counts once, in this process, and for the very
// call that was asked about.
type questions struct {
	mu   sync.Mutex
	open []question
}

type question struct {
	id    string
	call  string           // name and arguments, as written
	round []jsonmsg.Member // what the call had from an earlier round of the server's own
	at    time.Time
}

// put keeps a question and returns its id.
func (q *questions) put(call string, round []jsonmsg.Member) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.open) == maxQuestions {
		q.open = slices.Delete(q.open, 0, 1)
	}
	id := rand.Text()
	q.open = append(q.open, question{id: id, call: call, round: round, at: time.Now()})
	return id
}

// take returns a question that is still open, and ends it.
func (q *questions) take(id string) (question, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.open, func(o question) bool { return o.id == id })
	if i < 0 {
		return question{}, false
	}
	found := q.open[i]
	q.open = slices.Delete(q.open, i, i+1)
	return found, waited(found.at) <= dialogLimit
}

// confirmed asks the person about a call, where the host can, and reports whether
// it may be sent. If not, it has been answered.
func (b *bridge) confirmed(f *flight, name string) bool {
	switch {
	case f.confirmed:
		return true
	case !b.hostOf(f.msg).showsForm:
		b.text(f, textCannotAsk(name))
		return false
	case f.msg.Modern():
		b.give(f, b.confirmRequired(f, name))
		return false
	}
	f.confirmed = b.confirm(f, name)
	return f.confirmed
}

// confirm asks a legacy host. It waits as long as for a sign-in: a host that gives
// the call up after that does not find it done behind its back.
func (b *bridge) confirm(f *flight, name string) bool {
	id, answer := b.dialogs.ask()
	defer b.dialogs.end(id, "")
	b.out.send(f.ctx, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%q,"method":"elicitation/create","params":%s}`, id, confirmation(f, name)))
	limit := time.NewTimer(b.patience(f) - waited(f.entry.began)) // the host counts from there
	defer limit.Stop()
	tick := time.NewTicker(progressPause)
	defer tick.Stop()
	for {
		select {
		case m := <-answer:
			if jsonmsg.Text(jsonmsg.Lookup(m.Raw, "result", "action")) == "accept" {
				return true
			}
			b.text(f, bad(sentenceRefused))
			return false
		case <-tick.C:
			b.progress(f, textAsking)
			continue
		case <-limit.C:
			b.text(f, bad(sentenceUnanswered))
		case <-f.ctx.Done():
		case <-b.signCtx.Done():
			b.fail(f, errClosing)
			return false
		}
		b.out.send(b.ctx, fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":{"requestId":%q}}`, methodCancelled, id))
		return false
	}
}

// confirmation is the parameters of elicitation/create. Without a mode it is a
// form to hosts of every version that has it.
func confirmation(f *flight, name string) json.RawMessage {
	arguments := jsonmsg.Lookup(f.sending().Raw, "params", "arguments")
	return jsonmsg.Object(
		jsonmsg.Member{Key: "message", Value: jsonmsg.Quote(textConfirm(name, string(arguments)))},
		jsonmsg.Member{Key: "requestedSchema", Value: json.RawMessage(`{"type":"object","properties":{}}`)})
}

// confirmRequired asks a modern host, which sends its call again with the answer.
func (b *bridge) confirmRequired(f *flight, name string) json.RawMessage {
	params := jsonmsg.Lookup(f.sending().Raw, "params")
	id := b.questions.put(callOf(params), only(jsonmsg.Members(params), isRound))
	return jsonmsg.Object(
		jsonmsg.Member{Key: "resultType", Value: jsonmsg.Quote("input_required")},
		jsonmsg.Member{Key: "inputRequests", Value: jsonmsg.Object(jsonmsg.Member{Key: confirmKey, Value: jsonmsg.Object(
			jsonmsg.Member{Key: "method", Value: jsonmsg.Quote("elicitation/create")},
			jsonmsg.Member{Key: "params", Value: confirmation(f, name)})})},
		jsonmsg.Member{Key: "requestState", Value: jsonmsg.Quote(confirmPrefix + id)},
	)
}

// callOf is what a person says yes to.
func callOf(params json.RawMessage) string {
	return string(jsonmsg.Lookup(params, "name")) + "\n" + string(jsonmsg.Lookup(params, "arguments"))
}

// answered takes a modern call that comes back from our question: what it said
// before the question is what is sent. ok is false if the call has been answered.
func (b *bridge) answered(f *flight) (ok bool) {
	m := f.sending()
	if !m.Modern() {
		return true
	}
	params := jsonmsg.Lookup(m.Raw, "params")
	id, ours := strings.CutPrefix(jsonmsg.Text(jsonmsg.Lookup(params, "requestState")), confirmPrefix)
	if !ours {
		return true
	}
	q, open := b.questions.take(id)
	switch {
	case !open || q.call != callOf(params):
		b.text(f, bad(sentenceStale))
		return false
	case jsonmsg.Text(jsonmsg.Lookup(params, "inputResponses", confirmKey, "action")) != "accept":
		b.text(f, bad(sentenceRefused))
		return false
	}
	before, err := rebuilt(m, params, q.round)
	if err != nil {
		b.text(f, bad(sentenceStale))
		return false
	}
	f.instead, f.confirmed = &before, true
	return true
}
