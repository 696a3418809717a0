package bridge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// Upstream is the server as the bridge sees it. It is declared here so that the
// bridge knows nothing of HTTP, and so that a translator can stand in between;
// *remote.Client implements it.
type Upstream interface {
	// Do sends one message. For a request, the response is delivered or an
	// error returned.
	Do(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error
	// Listen delivers what the server says unasked, until ctx ends or the server
	// turns out to offer no such stream.
	Listen(ctx context.Context, deliver func(jsonmsg.Message))
	// Close ends the session with the server.
	Close(ctx context.Context) error
}

// Config is what Run needs.
type Config struct {
	In     io.Reader // the host's messages
	Out    io.Writer // nothing but messages to the host
	Remote Upstream  // the server
	Login  Login     // nil: a request that needs a sign-in fails
	// Catalogue keeps the server's answers for the next process; nil: nothing does.
	Catalogue Catalogue
	// Era tells what is known of the server's era; nil: nothing.
	Era func() remote.Era
	// Policy says which tools the host may see and use; nil: all.
	Policy *policy.Policy
	// Patient: the host waits for the server, however long it takes. What it asks is
	// answered by the server or with an error: neither by a saved answer nor by tools
	// of our own. It is a host of the legacy era.
	Patient bool
	// Changed is told of tools that may change something and are described in another
	// way than the catalogue had it; nil: nobody is. It may be called at any time, by
	// several goroutines at once.
	Changed func([]policy.Change)
	// Journal keeps what became of calls of tools that may change something; nil:
	// nobody does, and they are sent all the same.
	Journal Journal
	// JournalCommand shows a person the entries of unknown outcome.
	JournalCommand string
	Log            *slog.Logger // nil: silent
}

// Run relays until the host closes In, ctx ends (a signal), or Out fails; only
// the last is an error. Then requests in flight get 2 seconds, the session is
// ended, and Run returns within 3 seconds, at once when nothing is in flight
// (RELAY S7, S8).
//
// When ctx ended, a read of In may still be blocked and lets go only when In
// delivers or is closed; nothing that it reads is sent.
func Run(ctx context.Context, c Config) error {
	if c.In == nil || c.Out == nil || c.Remote == nil {
		return errors.New("preparing the bridge: In, Out and Remote are needed")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Era == nil {
		c.Era = func() remote.Era { return remote.EraUnknown }
	}
	b := newBridge(ctx, c)
	eof := make(chan struct{})
	go func() { //nolint:contextcheck // works on b.ctx: a signal must not cut what is in flight
		defer close(eof)
		b.read(c.In)
	}()
	select {
	case <-eof:
	case <-ctx.Done():
	case <-b.out.failed:
	}
	return b.shutdown()
}

// bridge is one run.
type bridge struct {
	remote Upstream
	login  Login
	era    func() remote.Era
	log    *slog.Logger
	out    *output
	modern atomic.Bool // the host is of the modern era
	waits  bool        // Config.Patient
	state  status
	book   book
	brakes brakes

	journal        Journal // nil: none
	journalCommand string

	questions questions

	settling sync.Mutex // held while the state becomes connected, or is found not to
	proven   bool       // the server has answered in this process

	gate    gate
	link    link
	dialogs dialogs
	flights flights
	asked   asked
	notes   notes
	work    work // what the host is owed
	workers workers
	tasks   sync.WaitGroup // goroutines, which may outlast what they owe
	listen  sync.Once
	replies atomic.Int64 // answers of the host on their way

	always    context.Context // never ends: for what must be said while closing
	ctx       context.Context // ends with the last task
	stop      context.CancelFunc
	signCtx   context.Context // ends when shutdown begins: nobody waits for a person then
	stopSigns context.CancelFunc
}

func newBridge(ctx context.Context, c Config) *bridge {
	b := &bridge{remote: c.Remote, login: c.Login, era: c.Era, log: c.Log, out: newOutput(c.Out), waits: c.Patient}
	b.workers = newWorkers()
	b.flights.open = make(map[string]*flight)
	// A signal must not cut what is in flight: shutdown gives it its time.
	b.always = context.WithoutCancel(ctx)
	b.ctx, b.stop = context.WithCancel(b.always)
	b.signCtx, b.stopSigns = context.WithCancel(b.ctx)
	b.book.catalogue, b.book.log, b.book.readOnlyTools = c.Catalogue, c.Log, c.Policy.ReadOnly()
	b.book.toolsChanged = c.Changed
	b.journal, b.journalCommand = c.Journal, c.JournalCommand
	b.brakes.policy, b.brakes.asking = c.Policy, make(chan struct{}, 1)
	if b.login != nil {
		b.state.now = firstState(b.login.Standing())
		b.tasks.Go(b.watchLogin)
	}
	return b
}
