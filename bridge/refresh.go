package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// settleLimit is how long a result that follows a sign-in waits for the host to
// list the tools again: some hosts lose a list_changed that is close before it
// (HOSTS P3, H9).
const settleLimit = time.Second

// settleGap is how long a host may take to make the tools of its new list its
// model's: a result right behind the list still met the old ones in Gemini CLI
// 0.61, 20 ms later the new ones (measured).
const settleGap = 100 * time.Millisecond

// refresh finds out, when the server answers again, which of the lists that the
// host has are out of date, and tells it.
func (b *bridge) refresh() {
	if b.ready(b.ctx) != nil {
		return
	}
	listed := b.book.nextListing()
	announced := false
	for _, method := range b.book.stale() {
		if b.outOfDate(method) {
			b.announce(method)
			announced = announced || method == methodTools
		}
	}
	if announced {
		t := time.NewTimer(settleLimit)
		defer t.Stop()
		select {
		case <-listed:
			t.Reset(settleGap)
			<-t.C
		case <-t.C:
		case <-b.ctx.Done():
		}
	}
}

// outOfDate reports whether the host has another list than the server. Our own
// list of tools is no list of the server's, whatever that is.
func (b *bridge) outOfDate(method string) bool {
	if method == methodTools && b.book.hasOurs() {
		return true
	}
	result, err := b.collect(b.ctx, method)
	if err != nil {
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "a list could not be refreshed", slog.String("method", method), slog.Any("error", err))
		return false
	}
	b.book.learnList(method, result)
	return b.book.differs(method)
}

// settle opens a time in which the host lists again; the returned function ends
// it.
func (k *book) settle() (done func()) {
	settled := make(chan struct{})
	k.mu.Lock()
	defer k.mu.Unlock()
	k.settled = settled
	return func() { close(settled) }
}

// waitSettled returns when the host has had time to list again. A server that
// does not answer for its lists holds no result back for longer.
func (b *bridge) waitSettled(ctx context.Context) {
	b.book.mu.Lock()
	settled := b.book.settled
	b.book.mu.Unlock()
	if settled == nil {
		return
	}
	t := time.NewTimer(2 * settleLimit)
	defer t.Stop()
	select {
	case <-settled:
	case <-t.C:
	case <-ctx.Done():
	}
}

// nextListing returns a channel that closes when the host has got a list of tools.
func (k *book) nextListing() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.listed == nil {
		k.listed = make(chan struct{})
	}
	return k.listed
}

// announce tells the host that a list has changed: a legacy host in a
// notification, a modern one in those of its subscriptions that asked for it.
func (b *bridge) announce(method string) {
	feature, _, _ := strings.Cut(method, "/")
	if !b.modern.Load() {
		b.out.send(b.ctx, fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/%s/list_changed"}`, feature))
		return
	}
	b.book.mark(method)
	for _, f := range b.flights.listening() {
		b.announceIn(f)
	}
}

// announceIn tells a subscription what has changed and was not told yet.
func (b *bridge) announceIn(f *flight) {
	for _, method := range b.book.unannounced() {
		feature, _, _ := strings.Cut(method, "/")
		if string(jsonmsg.Lookup(f.msg.Raw, "params", "notifications", feature+"ListChanged")) != "true" {
			continue
		}
		b.book.unmark(method)
		b.out.send(b.ctx, fmt.Appendf(nil,
			`{"jsonrpc":"2.0","method":"notifications/%s/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s}}}`, feature, f.msg.ID))
	}
}

func (k *book) mark(method string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changed == nil {
		k.changed = map[string]bool{}
	}
	k.changed[method] = true
}

func (k *book) unmark(method string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.changed, method)
}

// unannounced lists the changes that no subscription has been told.
func (k *book) unannounced() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var methods []string
	for method := range k.changed {
		methods = append(methods, method)
	}
	return methods
}
