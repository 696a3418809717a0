package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// Each call of a tool that may change something has one entry in the journal, from
// right before its first byte goes out until it is known what became of it. A call
// that is kept back here has none: nobody can think that it went. A call of a tool
// that only reads never comes near it.

// Journal keeps what became of calls; *journal.Journal implements it.
type Journal interface {
	// Begin makes an entry, and returns its id when it is sure to survive this
	// process. After an error the call is not sent.
	Begin(ctx context.Context, c journal.Call) (id string, err error)
	// Again notes that the call is about to be sent once more, as Begin does.
	Again(ctx context.Context, id, requestID string) error
	// End notes what became of it. It must not wait for long.
	End(id string, o journal.Outcome)
}

// account is a flight's entry in the journal. It is the flight's mu that guards it.
type account struct {
	id     string          // "": there is none
	ended  bool            // its end is noted
	due    journal.Outcome // what became of it, if nothing more happens
	taken  bool            // the server has begun to answer a try, and not turned it away
	refuse error           // why it cannot be noted, so that it was not sent
}

// enter notes that a call is about to be sent, and reports whether it may be.
func (b *bridge) enter(f *flight, requestID string) bool {
	call := f.sending()
	if b.journal == nil || call.Method != methodCall || b.book.readOnly(call.Name) {
		return true
	}
	var err error
	id := f.entryID()
	if id == "" {
		id, err = b.journal.Begin(f.ctx, journal.Call{Tool: call.Name, InvoiceNumber: invoiceNumber(call), RequestID: requestID})
	} else {
		err = b.journal.Again(f.ctx, id, requestID)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.account.refuse = nil
	switch {
	case err == nil:
		f.account.id = id
	case f.ctx.Err() == nil: // else nobody waits for it any more
		f.account.refuse = err
	}
	return err == nil
}

// dispatch sends a call. If the journal cannot take it, and nothing is known of
// its tool, the server's list is asked for: the full disk must not hold up a tool
// that only reads.
func (b *bridge) dispatch(f *flight) error {
	err := b.relay(f)
	if name := f.sending().Name; f.unrecorded() == nil || b.book.lists(name) {
		return err
	}
	b.lendMeta(f)
	result, fault := b.collectTools(f)
	if fault != nil {
		return err
	}
	b.book.learnList(methodTools, result)
	if !b.book.readOnly(f.sending().Name) {
		return err
	}
	f.forgive()
	return b.relay(f)
}

// forgive forgets that the journal could not take the call.
func (f *flight) forgive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.account.refuse = nil
}

// unrecordable reports whether a message is a call that wants no answer: nobody
// could say what became of it, so it goes nowhere.
func (b *bridge) unrecordable(m jsonmsg.Message) bool {
	if b.journal == nil || m.Kind == jsonmsg.Request || m.Method != methodCall {
		return false
	}
	b.log.LogAttrs(b.ctx, slog.LevelWarn, "dropped a call of the host that wants no answer")
	return true
}

func (f *flight) entryID() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.account.id
}

// unrecorded is why a call was not sent: the journal could not take it. nil: it
// could.
func (f *flight) unrecorded() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.account.refuse
}

// expect notes what has become of a call whose answer did not come, if nothing
// more happens to it.
func (f *flight) expect(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.account.id != "" && !f.account.ended {
		f.account.due = f.account.after(err)
	}
}

// after reads the outcome in an error of the remote's; nil: it gave no answer.
func (a *account) after(err error) journal.Outcome {
	e, ok := errors.AsType[*remote.Error](err)
	switch {
	case !ok || e.MayHaveRun || e.Kind == remote.KindUnknownOutcome:
		return journal.Unknown
	case errors.Is(err, remote.ErrSignIn), e.Status == 0 && !a.taken:
		return journal.NotSent
	}
	return journal.Failed
}

// closeAs ends the entry of a flight, if it has one that is open.
func (b *bridge) closeAs(f *flight, o journal.Outcome) {
	f.mu.Lock()
	id, first := f.account.id, !f.account.ended
	f.account.ended = f.account.ended || id != ""
	if first {
		f.account.due = o
	}
	f.mu.Unlock()
	if id != "" && first {
		b.journal.End(id, o)
	}
}

// closeDue ends it with what is known when the flight is over, and returns err,
// with where a person finds the entry if nobody knows what became of the call.
func (b *bridge) closeDue(f *flight, err error) error {
	f.mu.Lock()
	id, due := f.account.id, f.account.due
	f.mu.Unlock()
	if id == "" {
		return err
	}
	b.closeAs(f, due)
	if due != journal.Unknown {
		return err
	}
	return &recorded{error: err, id: id, command: b.journalCommand}
}

// closeWith ends it with the server's answer, before the host has that.
func (b *bridge) closeWith(f *flight, m jsonmsg.Message) {
	if f.entryID() != "" {
		b.closeAs(f, outcomeOf(m, f.isCancelled()))
	}
}

// outcomeOf reads what became of a call in the answer to it. An error may be the
// trace of the host's cancellation: then nobody knows how far it had come.
func outcomeOf(m jsonmsg.Message, cancelled bool) journal.Outcome {
	failed := journal.Failed
	if cancelled {
		failed = journal.Unknown
	}
	result := jsonmsg.Lookup(m.Raw, "result")
	switch {
	case m.IsError, string(jsonmsg.Lookup(result, "isError")) == "true", saysNo(result):
		return failed
	case m.ResultType == resultInput:
		return journal.Asked
	case m.ResultType != "" && m.ResultType != resultComplete:
		return journal.Unknown
	}
	return journal.Done
}

// The values of resultType that are known here.
const (
	resultInput    = "input_required"
	resultComplete = "complete"
)

// saysNo reports whether a result is PayU's refusal in words: a text of JSON with
// status -1 (PAYU P26).
func saysNo(result json.RawMessage) bool {
	const most = 64 << 10 // bytes: a refusal is short
	content := jsonmsg.At(jsonmsg.Lookup(result, "content"))
	no := false
	_ = content.Elements(func(c jsonmsg.Cursor) error {
		part, err := c.Value()
		if err != nil || len(part) > most {
			return err
		}
		no = no || string(jsonmsg.Lookup([]byte(jsonmsg.Text(jsonmsg.Lookup(part, "text"))), "status")) == "-1"
		return nil
	})
	return no
}

// invoiceNumber is the one argument that the journal has: what a person finds the
// call by in PayU. "": there is none.
func invoiceNumber(call jsonmsg.Message) string {
	const most = 1 << 10 // bytes; the journal keeps less
	v := jsonmsg.Lookup(call.Raw, "params", "arguments", "invoiceNumber")
	switch {
	case len(v) == 0, len(v) > most:
		return ""
	case v[0] == '"':
		return jsonmsg.Text(v)
	case strings.IndexByte("-0123456789", v[0]) >= 0:
		return string(v)
	}
	return ""
}

// recorded is an error of a call whose outcome is unknown, with where its person
// finds it.
type recorded struct {
	error

	id, command string
}

// Error adds the journal's entry to the error: hosts show nothing else.
func (r *recorded) Error() string { return r.error.Error() + "; " + r.hint() }

func (r *recorded) hint() string {
	return "check in PayU before trying again: `" + r.command + "`, entry " + r.id
}

// Unwrap returns the error itself.
func (r *recorded) Unwrap() error { return r.error }
