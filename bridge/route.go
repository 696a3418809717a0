package bridge

import (
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// The methods that the bridge itself heeds.
const (
	methodInitialize   = "initialize"
	methodInitialized  = "notifications/initialized"
	methodCancelled    = "notifications/cancelled"
	methodDiscover     = "server/discover"
	methodListen       = "subscriptions/listen"
	methodAcknowledged = "notifications/subscriptions/acknowledged"
	methodPing         = "ping"
	methodLevel        = "logging/setLevel"
	methodCall         = "tools/call"
	methodTools        = "tools/list"
	methodToolsChanged = "notifications/tools/list_changed"
)

// class is a kind of message of the host.
type class int

// The classes.
const (
	opening      class = iota // initialize, server/discover, ping
	listing                   // the list methods
	calling                   // tools/call
	ownTool                   // tools/call of payu_login, payu_list_tools, payu_call_tool
	subscribing               // subscriptions/listen
	levelling                 // logging/setLevel
	asking                    // any other request
	initializing              // notifications/initialized
	noting                    // any other notification, answers to the server's requests
	classes                   // how many there are
)

// action is what becomes of a message.
type action int

// The actions.
const (
	ask     action = iota // the server answers, and its answer is passed on
	quick                 // the saved answer at once, else the server's within a second, else our own
	fresh                 // the server's answer within a second, else the saved one, else our own
	own                   // the saved answer, else our own, at once; the server is not asked
	here                  // a tool of our own; it signs in if that is needed
	signIn                // the sign-in first, then the server
	wait                  // until somebody has signed in, then the server
	keep                  // answered here, and told to the server when there is a session
	refuse                // an error that says who has to do what
	drop                  // nothing
	actions               // how many there are
)

// table says what becomes of each class of message in each state. It is repeated
// in docs/architecture.md, and a test holds the two together.
var table = [classes][states]action{
	//              connected  unreachable  signed out  signing in  signed out by the server
	opening:      {quick, quick, own, own, own},
	listing:      {fresh, fresh, own, own, own},
	calling:      {ask, ask, signIn, signIn, signIn},
	ownTool:      {here, here, here, here, here},
	subscribing:  {ask, ask, wait, wait, wait},
	levelling:    {ask, keep, keep, keep, keep},
	asking:       {ask, ask, refuse, refuse, refuse},
	initializing: {keep, keep, keep, keep, keep},
	noting:       {ask, ask, drop, drop, drop},
}

// classOf sorts a message of the host.
func (b *bridge) classOf(p parcel) class {
	m := p.msg
	switch {
	case m.Method == methodInitialized && p.flight == nil:
		return initializing
	case p.flight == nil:
		return noting
	case slices.Contains([]string{methodInitialize, methodDiscover, methodPing}, m.Method):
		return opening
	case catalogue.ItemsOf(m.Method) != "" && jsonmsg.Lookup(m.Raw, "params", "cursor") == nil:
		return listing
	case m.Method == methodCall && b.book.isOwnTool(m.Name):
		return ownTool
	case m.Method == methodCall:
		return calling
	case m.Method == methodListen:
		return subscribing
	case m.Method == methodLevel && !m.Modern():
		return levelling
	}
	return asking
}

// route takes one message of the host. It does not wait for the server.
func (b *bridge) route(m jsonmsg.Message) {
	switch {
	case !b.admits(m):
	case m.Kind == jsonmsg.Request:
		b.request(m)
	case m.Method == methodCancelled:
		b.cancel(m) // passes the gate: what it cancels may be held there
	case m.Kind == jsonmsg.Response && b.dialogs.answered(m):
	case b.modern.Load():
		// The modern era knows neither notifications nor answers of a host over HTTP
		// (RELAY H11).
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "kept a message of the host back", slog.String("method", printable.Word(m.Method)))
	case m.Kind == jsonmsg.Response && !b.asked.answered(m):
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "dropped an answer of the host to a request that nobody made")
	default:
		if err := b.forward(parcel{msg: m}); err != nil {
			b.log.LogAttrs(b.ctx, slog.LevelWarn, "dropped a message of the host",
				slog.String("method", printable.Word(m.Method)), slog.Any("error", err))
		}
	}
}

// request opens a flight for a request, or answers why not.
func (b *bridge) request(m jsonmsg.Message) {
	// The host's era shows in how it opens (RELAY T6).
	if modern := m.Modern(); modern || m.Method == methodInitialize {
		b.modern.Store(modern)
	}
	f, err := b.flights.begin(b.ctx, m)
	if err == nil {
		f.paid = sync.OnceFunc(func() {
			if m.Method == methodInitialize {
				b.gate.open(b.launch)
			}
			b.work.end()
		})
		if err = b.forward(parcel{msg: m, flight: f}); err == nil {
			return
		}
		b.flights.end(f)
	}
	code := jsonmsg.CodeInternal
	if errors.Is(err, errSecondUse) {
		code = jsonmsg.CodeInvalid
	}
	b.reject(m, code, err)
}

// forward passes one message through the gate.
func (b *bridge) forward(p parcel) error {
	if !b.work.begin() {
		return errClosing
	}
	if !b.gate.enter(p, b.launch) {
		b.work.end()
		return errBusy
	}
	return nil
}

// launch sends one message on its way, as the table says, and does not wait.
// Requests and answers each go alone, so that none waits for another;
// notifications keep their order among themselves.
func (b *bridge) launch(p parcel) {
	a := table[b.classOf(p)][b.state.get()]
	switch {
	case p.flight != nil:
		if p.msg.Method == methodListen {
			p.flight.paid() // it may stay open for ever: closing does not wait for it
		}
		b.begin(func() { b.serve(p, a) })
	case a == keep:
		b.link.initialized(p.msg)
		b.work.end() // it is owed to whoever makes the link, and closing does not wait for it alone
		b.tasks.Go(func() { b.tellInitialized(p.msg) })
	case a == drop:
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "there is no session to tell the server in", slog.String("method", printable.Word(p.msg.Method)))
		b.work.end()
	case p.msg.Kind == jsonmsg.Response:
		b.reply(p.msg)
	default:
		b.notify(p.msg)
	}
}
