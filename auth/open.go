package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// markLimit bounds a change of the sealed attempt: a browser, or the end of the
// process, waits for it.
const markLimit = 5 * time.Second

func (c *Credential) attempt() *Attempt {
	if c == nil {
		return nil
	}
	return c.Attempt
}

// withAttempt returns c with another open sign-in, or none.
func (c *Credential) withAttempt(a *Attempt) *Credential {
	next := Credential{}
	if c != nil {
		next = *c
	}
	next.Attempt = a
	return &next
}

// sealAttempt stores a before anybody is led to a page, and with it a new
// registration, so that a denied sign-in does not register again; never over a
// grant, whose client it is not.
func (c *Client) sealAttempt(ctx context.Context, a *Attempt) error {
	err := c.cfg.Store.Update(ctx, func(_ context.Context, cur *Credential) (*Credential, error) {
		next := cur.withAttempt(a)
		if !cur.SignedIn() {
			next.Resource, next.Server = a.Resource, a.Server
			if a.Registration.Dynamic {
				next.Registration = a.Registration
			}
		}
		return next, nil
	})
	if errors.Is(err, ErrNotSaved) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("storing the open sign-in: %w", err)
	}
	return nil
}

// changeAttempt replaces the sealed attempt by what change makes of it, if it is
// still a.
func (c *Client) changeAttempt(ctx context.Context, a *Attempt, change func(Attempt) *Attempt) {
	c.changeStored(ctx, a, func(cur *Credential) *Credential { return cur.withAttempt(change(*cur.Attempt)) })
}

// changeStored replaces what is stored, if a is still its open sign-in.
func (c *Client) changeStored(ctx context.Context, a *Attempt, change func(cur *Credential) *Credential) {
	// Also when the sign-in's own time is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markLimit)
	defer cancel()
	err := c.cfg.Store.Update(ctx, func(_ context.Context, cur *Credential) (*Credential, error) {
		if !cur.attempt().same(a) {
			return cur, nil
		}
		return change(cur), nil
	})
	if err != nil && !errors.Is(err, ErrNotSaved) {
		c.log.DebugContext(ctx, "the open sign-in could not be changed in the store", "err", err)
	}
}

func (c *Client) markOpened(ctx context.Context, a *Attempt) {
	c.changeAttempt(ctx, a, func(b Attempt) *Attempt {
		b.Opened = true
		return &b
	})
}

func (c *Client) dropAttempt(ctx context.Context, a *Attempt) {
	c.changeAttempt(ctx, a, func(Attempt) *Attempt { return nil })
}

// resume goes on with the sealed attempt of a process that is gone, if it is
// what p wants. A person who asks anew gets a start page of their own: the old
// one's address stood in an argument list for long enough.
func (c *Client) resume(ctx context.Context, cur *Credential, ch challenge, p Prompt) (*loopback.Listener, *Attempt) {
	a := cur.attempt()
	if !c.live(a) || a.Bound && p.Open == nil || !a.Bound && p.Open != nil && p.Anew || a.Device != nil && !p.WantCode {
		return nil, nil
	}
	ln, err := c.rebind(ctx, a, ch)
	if err != nil {
		c.log.DebugContext(ctx, "an open sign-in cannot be taken over", "err", err)
		return nil, nil
	}
	if !p.Anew || !a.Opened {
		return ln, a
	}
	b := *a
	b.Start, b.Opened = redact.Secret(rand.Text()), false
	if err := c.sealAttempt(ctx, &b); err != nil {
		_ = ln.Close() // nothing is lost with a port
		return nil, nil
	}
	return ln, &b
}

// rebind takes the port of an attempt whose process is gone; a sign-in by code has
// none, and nil is returned.
func (c *Client) rebind(ctx context.Context, a *Attempt, ch challenge) (*loopback.Listener, error) {
	if !c.fits(a, ch) {
		c.noteStuck(a, true)
		return nil, errors.New("the sign-in is for another client or scope")
	}
	if a.Device != nil {
		return nil, nil
	}
	ln, err := listenFor(ctx, a.RedirectURI)
	if err != nil {
		c.noteStuck(a, false)
	}
	return ln, err
}

// serve runs the person's part of an attempt that is sealed: in the browser, or by
// code, where ln may be nil. Without p.Open no browser is opened. It leaves the port
// (see leavePort), and forgets the attempt unless this process is just ending: then the
// next one may take it over.
func (c *Client) serve(ctx context.Context, ln *loopback.Listener, a *Attempt, p Prompt) (err error) {
	switch {
	case ln == nil:
	case a.Device != nil:
		defer func() { _ = ln.Close() }() // nothing is lost with a port
	default:
		defer func() { c.leavePort(ln, err) }()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.Expiry.Sub(c.now()), ErrTimeout)
	defer cancel()
	if a.Device != nil {
		err = c.poll(ctx, a)
	} else {
		a, err = c.authorize(ctx, ln, a, p)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	err = c.timedOut(ctx, err)
	switch {
	case errors.Is(err, ErrTimeout) && a.Device == nil:
		c.dropUnfinished(ctx, a)
		return hint.With(err, c.unfinishedAdvice(a))
	case err != nil:
		c.dropAttempt(ctx, a)
	}
	return err
}

// authorize leads the person through and completes the sign-in. It returns the
// attempt that was the last, which is another one than a if the client had to be
// registered again.
func (c *Client) authorize(ctx context.Context, ln *loopback.Listener, a *Attempt, p Prompt) (*Attempt, error) {
	here := IsLoopback(c.cfg.Resource)
	target, err := a.url(here)
	if err != nil {
		return a, err
	}
	address, err := a.address(here)
	if err != nil {
		return a, err
	}
	var last atomic.Pointer[Attempt] // read by the listener too
	last.Store(a)
	ln.Serve(loopback.Flow{
		AuthorizationURL: target, Accept: func(q url.Values) bool { return last.Load().accepts(q) },
		Bound: a.Bound, Start: a.Start.Reveal(), Cookie: a.Cookie.Reveal(),
		Opened: a.Opened, OnOpen: func() { c.markOpened(ctx, last.Load()) },
		OnStranger: sync.OnceFunc(func() {
			c.log.WarnContext(ctx, "another user of this computer asked for a page of the sign-in and was refused")
		}),
		Peer: c.cfg.Peer,
	})
	defer c.invite(ctx, address, p.Open)()
	for {
		q, byCallback, err := p.answer(ctx, ln, a)
		if err != nil {
			return a, err
		}
		next, err := c.conclude(ctx, ln, a, q, byCallback)
		if next == nil {
			return a, err
		}
		a = next
		last.Store(a)
		if err := c.lead(ln, a, p, byCallback); err != nil {
			return a, err
		}
	}
}

// conclude ends a sign-in that has its answer. The page that the person sees at the
// end is shown after the credential is stored, or not (OAUTH section 5). An attempt
// is one that goes on instead.
func (c *Client) conclude(ctx context.Context, ln *loopback.Listener, a *Attempt, q url.Values, byCallback bool) (*Attempt, error) {
	// The code is there: from here on nobody's leaving strands a grant that is
	// neither stored nor revoked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeLimit)
	defer cancel()
	cred, err := c.complete(ctx, *a, q)
	next, err := c.again(ctx, a, err)
	if next != nil {
		return next, nil
	}
	if err != nil {
		c.dropAttempt(ctx, a) // before the page says so
	}
	ln.Finish(resultPage(a, c.cfg.Resource, cred, err))
	if !byCallback {
		return nil, err // nobody's browser waits for the page
	}
	shown, cancel := context.WithTimeout(ctx, resultPageLimit)
	defer cancel()
	ln.Shown(shown)
	return nil, err
}

// complete turns the authorization response into a stored credential.
func (c *Client) complete(ctx context.Context, a Attempt, q url.Values) (*Credential, error) {
	code, err := a.code(q, c.cfg.Resource)
	if err != nil {
		return nil, err
	}
	res, err := c.exchange(ctx, &a, code)
	if err != nil {
		return nil, err
	}
	return c.keep(ctx, &a, res)
}

// keep makes a stored credential of the tokens. The grant that it replaces is
// revoked afterwards.
func (c *Client) keep(ctx context.Context, a *Attempt, res *tokenAnswer) (*Credential, error) {
	cred := res.apply(Credential{Resource: a.Resource, Server: a.Server, Registration: a.Registration, Asked: a.Scopes, Scopes: a.Scopes}, c.now())
	cred.SignedInAt, cred.Account = cred.ObtainedAt, res.account()
	old, err := c.replace(ctx, a, cred)
	switch {
	case errors.Is(err, ErrNotSaved):
		// Good until this process ends. What is on disk stays alive beside it.
		c.log.WarnContext(ctx, "the login is kept in memory only", "err", err)
	case err != nil && c.isStored(ctx, cred):
		// It is there all the same: only its durability is in doubt.
		c.log.WarnContext(ctx, "the login is stored, but not all of it went well", "err", err)
	case err != nil:
		// The person is told "failed", so nothing of it may stay alive.
		c.revoke(ctx, cred)
		return nil, fmt.Errorf("storing the login: %w", err)
	}
	// At once: other processes see the new login already, and the revocation asks the network.
	if c.cfg.SignedIn != nil {
		c.cfg.SignedIn(old != nil && old.Account != "" && old.Account == cred.Account)
	}
	if err == nil && old.SignedIn() {
		c.revokeReplaced(ctx, old, cred)
	}
	return cred, nil
}

// replace stores cred, and forgets the attempt that it came from.
func (c *Client) replace(ctx context.Context, a *Attempt, cred *Credential) (old *Credential, err error) {
	err = c.cfg.Store.Update(ctx, func(_ context.Context, cur *Credential) (*Credential, error) {
		old = cur
		if other := cur.attempt(); !other.same(a) {
			cred.Attempt = other
		}
		return cred, nil
	})
	return old, err
}
