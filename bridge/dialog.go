package bridge

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// MCP elicitation in mode "url": the host shows its person the address of PayU's
// sign-in. In the legacy era that is a request to the host, in the modern one a
// result that asks for input (MCP 2025-11-25 client/elicitation, 2026-07-28
// basic/patterns/mrtr).

const (
	// dialogLimit is how long the host may show it; a sign-in is not open longer.
	dialogLimit = 10 * time.Minute
	// dialogID begins the ids of our own requests to the host.
	dialogID = "payu-mcp/sign-in/"
	// dialogKey names our request among those for input.
	dialogKey = "payu_sign_in"
	// statePrefix marks the state of a request of the host that we asked for input.
	statePrefix = "payu-mcp/sign-in:"
)

// dialogs are our own requests that the host shows, by id.
type dialogs struct {
	mu   sync.Mutex
	open map[string]chan jsonmsg.Message
	urls map[string]bool // addresses that a dialog is open for
}

// begin opens a dialog for an address, unless one is open already.
func (d *dialogs) begin(address string) (id string, answer <-chan jsonmsg.Message, first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.urls[address] {
		return "", nil, false
	}
	id, answer = d.add(dialogID)
	d.urls[address] = true
	return id, answer, true
}

// ask opens a dialog about one call.
func (d *dialogs) ask() (id string, answer <-chan jsonmsg.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.add(confirmID)
}

// add needs mu. The id cannot be guessed, so that no server may ask under it and
// have its answer taken for ours.
func (d *dialogs) add(prefix string) (id string, answer <-chan jsonmsg.Message) {
	if d.open == nil {
		d.open, d.urls = map[string]chan jsonmsg.Message{}, map[string]bool{}
	}
	id = prefix + rand.Text()
	c := make(chan jsonmsg.Message, 1)
	d.open[id] = c
	return id, c
}

func (d *dialogs) end(id, address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, id)
	delete(d.urls, address)
}

// answered reports whether a message of the host answers a dialog, open or not.
func (d *dialogs) answered(m jsonmsg.Message) bool {
	id := jsonmsg.Text(m.ID)
	if !strings.HasPrefix(id, dialogID) && !strings.HasPrefix(id, confirmID) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.open[id]; c != nil {
		select {
		case c <- m:
		default: // it has its answer
		}
	}
	return true
}

// show lets the host show the address, and reports whether somebody has signed
// in. If not, the call is answered.
func (b *bridge) show(f *flight, inv Invitation) bool {
	if f.msg.Modern() {
		b.give(f, b.inputRequired(f, inv))
		return false
	}
	id, answer, first := b.dialogs.begin(inv.URL)
	if !first { // another call has it open
		return b.hold(f, inv, b.patience(f))
	}
	defer b.dialogs.end(id, inv.URL)
	b.out.send(f.ctx, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%q,"method":"elicitation/create","params":%s}`, id, elicitation(inv, id)))
	limit := time.NewTimer(dialogLimit)
	defer limit.Stop()
	tick := time.NewTicker(progressPause)
	defer tick.Stop()
	for {
		select {
		case m := <-answer:
			return b.decided(f, inv, id, jsonmsg.Text(jsonmsg.Lookup(m.Raw, "result", "action")))
		case <-inv.Done:
			b.dialogDone(f, id)
			return b.signedIn(f, inv)
		case <-tick.C:
			b.progress(f, textWaiting)
			continue
		case <-limit.C:
			b.text(f, textStillOpen(inv))
		case <-f.ctx.Done(): // who cancels the call wants no dialog either
			b.out.send(b.ctx, fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":{"requestId":%q}}`, methodCancelled, id))
		case <-b.signCtx.Done():
			b.fail(f, errClosing)
		}
		return false
	}
}

// decided goes on after the person has answered the dialog: "accept" means that
// the address was opened, not that the sign-in is done.
func (b *bridge) decided(f *flight, inv Invitation, id, action string) bool {
	if action != "accept" {
		b.text(f, textDeclined(inv))
		return false
	}
	if !b.hold(f, inv, b.patience(f)) {
		return false
	}
	b.dialogDone(f, id)
	return true
}

// dialogDone tells the host that what it shows is over.
func (b *bridge) dialogDone(f *flight, id string) {
	b.out.send(f.ctx, fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":%q}}`, id))
}

// patience is how long a call may wait whose person is signing in: a host that
// is told of the progress waits as long as a sign-in may take (HOSTS H12).
func (b *bridge) patience(f *flight) time.Duration {
	if jsonmsg.Lookup(f.msg.Raw, "params", "_meta", "progressToken") != nil {
		return dialogLimit
	}
	return holdLimit
}

// elicitation is the parameters of elicitation/create.
func elicitation(inv Invitation, id string) json.RawMessage {
	members := []jsonmsg.Member{
		{Key: "mode", Value: jsonmsg.Quote("url")},
		{Key: "message", Value: jsonmsg.Quote(textDialog)},
		{Key: "url", Value: jsonmsg.Quote(inv.URL)},
	}
	if id != "" { // of the modern era there is none
		members = append(members, jsonmsg.Member{Key: "elicitationId", Value: jsonmsg.Quote(id)})
	}
	return jsonmsg.Object(members...)
}

// inputRequired asks a modern host to show the address and to send its request
// again. What the request has from an earlier round of the server's own goes
// into the state, to be put back.
func (b *bridge) inputRequired(f *flight, inv Invitation) json.RawMessage {
	params := jsonmsg.Lookup(f.sending().Raw, "params") // without a question of ours that it has answered
	round := jsonmsg.Object(only(jsonmsg.Members(params), isRound)...)
	request := jsonmsg.Object(
		jsonmsg.Member{Key: "method", Value: jsonmsg.Quote("elicitation/create")},
		jsonmsg.Member{Key: "params", Value: elicitation(inv, "")})
	return jsonmsg.Object(
		jsonmsg.Member{Key: "resultType", Value: jsonmsg.Quote("input_required")},
		jsonmsg.Member{Key: "inputRequests", Value: jsonmsg.Object(jsonmsg.Member{Key: dialogKey, Value: request})},
		jsonmsg.Member{Key: "requestState", Value: jsonmsg.Quote(statePrefix + base64.RawURLEncoding.EncodeToString(round))},
	)
}

// isRound reports whether a member of params belongs to a round of input.
func isRound(key string) bool { return key == "inputResponses" || key == "requestState" }

func only(members []jsonmsg.Member, wanted func(string) bool) []jsonmsg.Member {
	var found []jsonmsg.Member
	for _, m := range members {
		if wanted(m.Key) {
			found = append(found, m)
		}
	}
	return found
}

// resume takes a modern request that comes back from our own question: what it
// said before the question is what is sent. shown: its person has opened the
// address. ok is false if the request has been answered.
func (b *bridge) resume(f *flight) (shown, ok bool) {
	m := f.sending()
	if !m.Modern() { // it was never asked that way
		return false, true
	}
	params := jsonmsg.Lookup(m.Raw, "params")
	state, ours := strings.CutPrefix(jsonmsg.Text(jsonmsg.Lookup(params, "requestState")), statePrefix)
	if !ours {
		return false, true
	}
	before, err := withoutRound(m, params, state)
	if err != nil {
		first := f.settle()
		b.flights.free(f)
		if first {
			f.fails(err, b.answer(f.msg, codeParams, err))
		}
		return false, false
	}
	f.instead = &before
	action := jsonmsg.Text(jsonmsg.Lookup(params, "inputResponses", dialogKey, "action"))
	switch {
	case action == "accept":
		return true, true
	case b.state.get().needsLogin():
		b.text(f, textDeclined(Invitation{}))
	default: // whoever says no to the page did not ask for what comes after it
		b.text(f, bad(sentenceNotSent))
	}
	return false, false
}

const codeParams = -32602 // JSON-RPC 2.0 section 5.1, invalid params

// withoutRound rebuilds the request as it was before our question.
func withoutRound(m jsonmsg.Message, params json.RawMessage, state string) (jsonmsg.Message, error) {
	round, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil {
		return m, fmt.Errorf("reading requestState: %w", jsonmsg.ErrInvalid)
	}
	return rebuilt(m, params, only(jsonmsg.Members(round), isRound))
}

// rebuilt is a request with another round.
func rebuilt(m jsonmsg.Message, params json.RawMessage, round []jsonmsg.Member) (jsonmsg.Message, error) {
	members := only(jsonmsg.Members(params), func(key string) bool { return !isRound(key) })
	members = append(members, round...)
	raw, err := jsonmsg.Set(m.Raw, nil, jsonmsg.Member{Key: "params", Value: jsonmsg.Object(members...)})
	if err != nil {
		return m, fmt.Errorf("rebuilding the request: %w", err)
	}
	return jsonmsg.Scan(raw)
}
