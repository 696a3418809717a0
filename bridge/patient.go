package bridge

import (
	"context"
	"encoding/json"
)

// A patient host is a command that a person or a script waits for
// (Config.Patient): it wants what the server says now, or the reason why that
// cannot be had, and nothing that is said in the server's place.

// openPatiently lets the server itself answer initialize.
func (b *bridge) openPatiently(f *flight) {
	b.book.open(f.msg.Version)
	b.link.begin(f.msg)
	r := b.link.join(b.connect)
	if r == nil {
		b.fail(f, errNoAnswer)
		return
	}
	select {
	case <-r.done:
	case <-f.ctx.Done():
		return
	}
	if r.err != nil {
		b.fail(f, r.err)
		return
	}
	b.pass(f, r.answer)
}

// listPatiently answers a list method with all of the server's pages.
func (b *bridge) listPatiently(f *flight) {
	result, err := b.wholeList(f.ctx, f.msg.Method)
	if err != nil {
		b.fail(f, err)
		return
	}
	b.book.learnList(f.msg.Method, result) // before the host can use it
	b.giveList(f, result, true)
}

func (b *bridge) wholeList(ctx context.Context, method string) (json.RawMessage, error) {
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	result, err := b.collect(ctx, method)
	b.learn(err)
	return result, err
}

// servePatiently takes what a patient host asks in another way than others, and
// reports whether it was that.
func (b *bridge) servePatiently(p parcel) bool {
	switch {
	case p.flight.msg.Method == methodInitialize:
		b.openPatiently(p.flight)
	case b.classOf(p) == listing:
		b.listPatiently(p.flight)
	default:
		return false
	}
	return true
}
