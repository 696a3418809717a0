package translate

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/remote"
)

// maxRounds is how often one request goes to the server: the first time and
// with answers to what the server asked (RELAY L6).
const maxRounds = 10

// The values of resultType that the core protocol has; absent is complete.
const (
	resultComplete = "complete"
	resultInput    = "input_required"
)

// send takes one request of the host to its answer, through as many rounds as
// the server wants.
func (t *Translator) send(ctx context.Context, p *pair, m jsonmsg.Message, h remote.Hooks) error {
	first, err := t.stamp(p, m)
	if err != nil {
		return fail(h, m, codeParams, kindBadMessage, err.Error())
	}
	x := &exchange{Translator: t, pair: p, host: m, hooks: h}
	next := first
	for round := 1; ; round++ {
		wants, err := x.round(ctx, next)
		if err != nil || wants == nil {
			return err
		}
		if round == maxRounds {
			return t.giveUp(h, m, kindRounds, "the server asked for more input again and again; payu-mcp has stopped after 10 rounds")
		}
		input, err := x.input(ctx, wants, round)
		if err != nil || input == nil {
			return err
		}
		raw, err := jsonmsg.Set(first.Raw, []string{"params"}, input...)
		if err != nil {
			return err
		}
		if next, err = scan(raw); err != nil {
			return err
		}
		next = next.WithID(t.numbers.next()) // a request of its own (L6)
	}
}

// statusFault is the least HTTP status that says nothing of how far the server had
// come (RELAY R10).
const statusFault = 500

// errResultType: nobody can tell what it says of the request.
var errResultType = errors.New("the server has answered in a way that payu-mcp and the host program do not know")

// exchange is one request of the host with its rounds; none knows of another.
type exchange struct {
	*Translator

	pair    *pair
	host    jsonmsg.Message // as the host wrote it
	hooks   remote.Hooks
	refused bool // once for its version

	requestID string // of the last try, which went out at
	at        time.Time
	status    int // HTTP status of the answer to it
}

// round sends the request once. wants is the result that asks for input, nil if
// the host has its answer.
func (x *exchange) round(ctx context.Context, m jsonmsg.Message) (wants []byte, err error) {
	again := false
	h := x.hooks
	h.Start = func(requestID string) bool {
		x.requestID, x.at = requestID, time.Now()
		return x.hooks.Start == nil || x.hooks.Start(requestID)
	}
	h.Head = func(status int, requestID string) {
		x.status = status
		if x.hooks.Head != nil {
			x.hooks.Head(status, requestID)
		}
	}
	h.Deliver = func(r jsonmsg.Message) {
		switch {
		case r.Kind == jsonmsg.Request:
			x.log.LogAttrs(ctx, slog.LevelDebug, "dropped a request that a modern server must not send", slog.String("method", printable.Word(r.Method)))
		case r.Kind != jsonmsg.Response:
			x.pass(r)
		case r.ResultType == resultInput:
			wants = jsonmsg.Lookup(r.Raw, "result")
		case x.resend(r):
			again = true
		default:
			err = x.answer(r)
		}
	}
	if fault := x.up.Do(ctx, m, h); fault != nil {
		return nil, fault
	}
	if again {
		return x.round(ctx, m.WithID(x.numbers.next()))
	}
	return wants, err
}

// resend reports whether a refusal for the version is one to try again (RELAY
// L4). A tool call is not: the retry matrix has no row for it.
func (x *exchange) resend(r jsonmsg.Message) bool {
	if x.refused || x.host.Method == methodCall || r.ErrorCode() != codeVersion || !speaks(r, remote.ModernVersion) {
		return false
	}
	x.refused = true
	return true
}

// answer hands the host what ends its request.
func (x *exchange) answer(r jsonmsg.Message) error {
	switch {
	case remote.IsModernCode(r.ErrorCode()):
		return x.unfit(kindUnsupported, plainly(r), false)
	case x.unknown(r.ResultType):
		return x.unfit(kindBadAnswer, errResultType, true)
	case string(r.ID) != string(x.host.ID):
		r = r.WithID(x.host.ID)
	}
	x.topics.wake()
	x.pass(r)
	return nil
}

// unfit ends a request whose answer the host cannot be given; open: the answer
// leaves open whether it was carried out. Of a call Do's error says what became of
// it: nothing that is delivered can, since a server can write the same.
func (x *exchange) unfit(kind string, why error, open bool) error {
	if x.host.Method != methodCall {
		return fail(x.hooks, x.host, jsonmsg.CodeInternal, kind, "PayU: "+why.Error())
	}
	e := &remote.Error{Kind: remote.KindUnknownOutcome, Status: x.status, RequestID: x.requestID, At: x.at, Err: why, MayHaveRun: true}
	if !open && x.status < statusFault {
		e.Kind, e.Err, e.MayHaveRun = remote.KindRefused, hint.With(why, hintUnfit), false
	}
	return e
}

// unknown reports whether a result is invalid (RELAY L5). A host that declared
// an extension may know types of results that the core protocol does not.
func (x *exchange) unknown(resultType string) bool {
	switch resultType {
	case "", resultComplete:
		return false
	}
	return len(jsonmsg.Members(jsonmsg.Lookup(x.pair.host, "extensions"))) == 0
}

func (x *exchange) pass(m jsonmsg.Message) {
	if x.hooks.Deliver != nil {
		x.hooks.Deliver(m)
	}
}
