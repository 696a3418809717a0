package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

const (
	// holdLimit is how long a call waits for a person: the request limit of the
	// TypeScript SDK is 60 s (HOSTS P7).
	holdLimit = 50 * time.Second
	// progressPause is how often the host hears that it still waits.
	progressPause = 5 * time.Second
	// watchPause keeps a watch that is told the same over and over from spinning.
	watchPause = time.Second
)

// letIn gets somebody to sign in for a call, in the way that this host and this
// machine allow (HOSTS P6 to P9), and reports whether somebody has. If not, the
// call is answered; the sign-in goes on. shown: the host has shown the way.
func (b *bridge) letIn(f *flight, how How, shown bool) bool {
	who, begun := b.hostOf(f.msg), time.Now()
	how.By, how.HandOut = who.name, who.showsURL
	inv, err := b.invite(f.ctx, how)
	switch {
	case b.signCtx.Err() != nil:
		b.fail(f, errClosing)
		return false
	case err != nil:
		b.text(f, textFailed(err))
		return false
	case inv.Elsewhere:
		b.text(f, textElsewhere(inv))
		return false
	case who.showsURL && !shown && isHTTPS(inv.URL) && !isClosed(inv.Done):
		return b.show(f, inv)
	}
	return b.hold(f, inv, holdLimit-time.Since(begun))
}

// invite opens a sign-in, or joins the one that is open, and keeps the state.
func (b *bridge) invite(ctx context.Context, how How) (Invitation, error) {
	type opened struct {
		inv Invitation
		err error
	}
	result := make(chan opened, 1)
	b.tasks.Go(func() { // finding the server may take longer than the call is wanted
		inv, err := b.login.Open(b.signCtx, how)
		if err == nil {
			if b.state.get().needsLogin() { // a step-up leaves the rest as it is
				b.state.set(signingIn)
			}
			b.tasks.Go(func() { b.follow(inv) })
		}
		result <- opened{inv, err}
	})
	limit := time.NewTimer(holdLimit)
	defer limit.Stop()
	select {
	case r := <-result:
		return r.inv, r.err
	case <-limit.C:
		return Invitation{}, errSlowSignIn
	case <-ctx.Done():
		return Invitation{}, ctx.Err()
	case <-b.signCtx.Done():
		return Invitation{}, errClosing
	}
}

// follow waits for the end of a sign-in of this process.
func (b *bridge) follow(inv Invitation) {
	if inv.Done == nil {
		return // in another process: the watch sees its end
	}
	select {
	case <-inv.Done:
	case <-b.signCtx.Done():
		return
	}
	if err := inv.Err(); err != nil {
		b.log.LogAttrs(b.ctx, slog.LevelWarn, "the sign-in failed", slog.Any("error", err))
		if b.state.get().needsLogin() { // a step-up that failed leaves the rest as it is
			b.state.set(b.shutOut())
		}
		return
	}
	b.connected()
}

// firstState is the state that the disk alone shows.
func firstState(s Standing) state {
	switch s {
	case StandingSignedOut:
		return signedOut
	case StandingEnded:
		return endedByPayU
	case StandingSignedIn, StandingUnknown:
	}
	return connected
}

// watchLogin sees a sign-in of another process, and takes one over whose process
// is gone.
func (b *bridge) watchLogin() {
	for b.signCtx.Err() == nil {
		now, moved := b.state.next()
		if !now.needsLogin() {
			select {
			case <-moved:
			case <-b.signCtx.Done():
			}
			continue
		}
		if b.login.Await(b.signCtx) == nil && b.state.get().needsLogin() {
			b.connected()
		}
		select {
		case <-time.After(watchPause):
		case <-b.signCtx.Done():
		}
	}
}

// hold keeps a call until somebody has signed in, and reports whether that was
// so. When the time is over, or there is nothing to wait for, the call gets a
// text.
func (b *bridge) hold(f *flight, inv Invitation, limit time.Duration) bool {
	over := time.NewTimer(limit)
	defer over.Stop()
	tick := time.NewTicker(progressPause)
	defer tick.Stop()
	for {
		select {
		case <-inv.Done:
			return b.signedIn(f, inv)
		case <-inv.Unopened:
			b.text(f, textOpenByHand(inv))
		case <-over.C:
			b.text(f, textStillOpen(inv))
		case <-tick.C:
			b.progress(f, textWaiting)
			continue
		case <-f.ctx.Done():
		case <-b.signCtx.Done():
			b.fail(f, errClosing)
		}
		return false
	}
}

// signedIn reports how a sign-in ended, and answers the call if it failed.
func (b *bridge) signedIn(f *flight, inv Invitation) bool {
	err := inv.Err()
	switch {
	case err == nil:
		b.connected()
		return true
	case b.signCtx.Err() != nil:
		b.fail(f, errClosing)
	default:
		b.text(f, textFailed(err))
	}
	return false
}

// progress tells the host that its call still waits, if it asked to be told. The
// steps are tiny, so that those of the server still go up from there.
func (b *bridge) progress(f *flight, text string) {
	token := jsonmsg.Lookup(f.msg.Raw, "params", "_meta", "progressToken")
	if token == nil || !f.open() {
		return
	}
	f.steps++
	b.out.send(f.ctx, fmt.Appendf(nil,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%.6f,"message":%s}}`,
		token, float64(f.steps)/1e6, jsonmsg.Quote(text)))
}

// hostInfo is what a host has said of itself.
type hostInfo struct {
	name      string
	showsURL  bool // it can show a web address: elicitation in mode "url" (HOSTS H21)
	showsForm bool // it can ask a question: elicitation in mode "form", which is the one that counts where none is named
}

// hostOf reads it where the era of the host has it: in initialize, or in _meta of
// the request.
func (b *bridge) hostOf(m jsonmsg.Message) hostInfo {
	const prefix = "io.modelcontextprotocol/"
	if m.Modern() {
		meta := jsonmsg.Lookup(m.Raw, "params", "_meta")
		return newHostInfo(jsonmsg.Lookup(meta, prefix+"clientInfo"), jsonmsg.Lookup(meta, prefix+"clientCapabilities"))
	}
	b.link.mu.Lock()
	params := jsonmsg.Lookup(b.link.first.Raw, "params")
	b.link.mu.Unlock()
	return newHostInfo(jsonmsg.Lookup(params, "clientInfo"), jsonmsg.Lookup(params, "capabilities"))
}

func newHostInfo(info, capabilities json.RawMessage) hostInfo {
	name := jsonmsg.Text(jsonmsg.Lookup(info, "title"))
	if name == "" {
		name = jsonmsg.Text(jsonmsg.Lookup(info, "name"))
	}
	elicits := jsonmsg.Lookup(capabilities, "elicitation")
	url, form := isObject(jsonmsg.Lookup(elicits, "url")), isObject(jsonmsg.Lookup(elicits, "form"))
	return hostInfo{name: name, showsURL: url, showsForm: form || isObject(elicits) && !url}
}

func isObject(value json.RawMessage) bool { return len(value) > 0 && value[0] == '{' }

// isHTTPS reports whether an address is one that hosts show: they decline those
// of this machine by themselves (HOSTS H11).
func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https"
}
