package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// Prompt is how a sign-in reaches a person.
type Prompt struct {
	// Open opens a URL in the person's browser. nil hands the authorization URL
	// out instead: such a flow is bound by state and PKCE alone (OAUTH section 5).
	Open func(ctx context.Context, url string) error
	// Show is given the address to open by hand: at once, and again with the
	// reason when the browser could not be opened. It must not block.
	Show func(url string, openErr error)
}

const (
	completeLimit   = 75 * time.Second // exchange, lock, keychain, and two revocations of 15 s
	resultPageLimit = 3 * time.Second
)

// SignIn lets a person sign in, stores the credential and returns it. It runs
// once at a time: others who ask meanwhile wait for the same one. It ends with
// ErrDenied, ErrTimeout, ErrServer or the Store's error; what was stored before
// stays until the new credential is stored, then the old grant is revoked.
func (c *Client) SignIn(ctx context.Context, p Prompt) (*Credential, error) {
	err := c.signingIn.do(ctx, false, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.SignInLimit, ErrTimeout)
		defer cancel()
		err := c.signIn(ctx, p)
		if errors.Is(err, context.DeadlineExceeded) && errors.Is(context.Cause(ctx), ErrTimeout) {
			return hint.With(ErrTimeout, "start again with payu-mcp login and finish within "+humanLimit(c.cfg.SignInLimit))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.load(ctx)
}

func (c *Client) signIn(ctx context.Context, p Prompt) error {
	c.mu.Lock()
	ch := c.challenge
	c.mu.Unlock()
	if ch == nil && !isPayU(c.cfg.Resource) {
		return ErrNoChallenge
	}
	if ch == nil { // PayU is known to want a sign-in, whatever it answers without one
		ch = &challenge{}
	}
	d, err := c.discover(ctx, *ch)
	if err != nil {
		return err
	}
	cur, err := c.remembered(ctx)
	if err != nil {
		return err
	}
	c.widen(d, *ch, cur)
	ln, reg, err := c.prepare(ctx, d, cur)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }() // nothing is lost with a port
	return c.authorize(ctx, ln, newAttempt(d, reg, ln.RedirectURI()), p)
}

// remembered returns what is stored, for its registration. A store that cannot
// be read does not stop a sign-in; Update decides what may be replaced.
func (c *Client) remembered(ctx context.Context) (*Credential, error) {
	var found *Credential
	err := c.cfg.Store.Update(ctx, func(_ context.Context, cur *Credential) (*Credential, error) {
		found = cur
		return cur, nil
	})
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return found, nil
}

// prepare binds the callback port and has a client for it. The registered port
// is tried first, so that ten sign-ins make one registration (OAUTH A12).
func (c *Client) prepare(ctx context.Context, d *discovery, cur *Credential) (*loopback.Listener, Registration, error) {
	if err := c.checkNamedClient(d, cur); err != nil {
		return nil, Registration{}, err
	}
	known := c.known(d, cur)
	ln, err := c.listen(ctx, known)
	if err != nil {
		return nil, Registration{}, err
	}
	switch {
	case c.cfg.ClientID != "":
		return ln, c.preRegistered(d.server, ln.RedirectURI()), nil
	case known != nil && known.RedirectURI == ln.RedirectURI():
		return ln, *known, nil
	}
	reg, err := c.register(ctx, d.server, ln.RedirectURI())
	if err == nil {
		err = c.rememberClient(ctx, d, reg)
	}
	if err != nil {
		return nil, Registration{}, errors.Join(err, ln.Close())
	}
	return ln, reg, nil
}

// checkNamedClient keeps a client that the user named, and its secret, at the
// authorization server that it was used at: who changes the metadata of the
// endpoint must not be given it (OAUTH A15).
func (c *Client) checkNamedClient(d *discovery, cur *Credential) error {
	if c.cfg.ClientID == "" || cur == nil || cur.Registration.ClientID != c.cfg.ClientID || cur.Registration.Issuer == d.server.Issuer {
		return nil
	}
	return hint.With(serverFault("the endpoint now names the authorization server %q; this client id was used at %q", clean(d.server.Issuer), clean(cur.Registration.Issuer)),
		"if the change is right, run payu-mcp logout, then payu-mcp login")
}

// known returns the registration that can be used at this server, if any
// (OAUTH A15: never one of another issuer).
func (c *Client) known(d *discovery, cur *Credential) *Registration {
	if cur == nil || !cur.Registration.Dynamic || cur.Registration.Issuer != d.server.Issuer || cur.Registration.ClientID == "" {
		return nil
	}
	return &cur.Registration
}

func (c *Client) listen(ctx context.Context, known *Registration) (*loopback.Listener, error) {
	if port := c.cfg.CallbackPort; port != 0 {
		ln, err := loopback.Listen(ctx, port)
		if err != nil {
			return nil, hint.With(err, "port "+strconv.Itoa(port)+" is taken: close the program that has it, or give another --callback-port")
		}
		return ln, nil
	}
	if port := registeredPort(known); port != 0 {
		if ln, err := loopback.Listen(ctx, port); err == nil {
			return ln, nil
		}
	}
	return loopback.Listen(ctx, 0)
}

// rememberClient stores a new registration at once, so that a denied sign-in
// does not register again; never over a grant, whose client it is not.
func (c *Client) rememberClient(ctx context.Context, d *discovery, reg Registration) error {
	err := c.cfg.Store.Update(ctx, func(_ context.Context, cur *Credential) (*Credential, error) {
		if cur.SignedIn() {
			return cur, nil
		}
		return &Credential{Resource: d.resource, Server: d.server, Registration: reg}, nil
	})
	if errors.Is(err, ErrNotSaved) {
		return nil
	}
	return err
}

// authorize runs the browser part. The page that the person sees at the end is
// shown after the credential is stored, or not (OAUTH section 5).
func (c *Client) authorize(ctx context.Context, ln *loopback.Listener, a *attempt, p Prompt) error {
	target, err := a.url(IsLoopback(c.cfg.Resource))
	if err != nil {
		return err
	}
	ln.Serve(loopback.Flow{AuthorizationURL: target, Accept: a.accepts, Bound: p.Open != nil})
	defer p.invite(ctx, ln, target)()
	q, err := ln.Wait(ctx)
	if err != nil {
		return err
	}
	// The code is there: from here on nobody's leaving strands a grant that is
	// neither stored nor revoked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeLimit)
	defer cancel()
	cred, err := c.complete(ctx, a, q)
	ln.Finish(resultPage(cred, err))
	shown, cancel := context.WithTimeout(ctx, resultPageLimit)
	defer cancel()
	ln.Shown(shown)
	return err
}

// invite brings the person to the first page, without waiting for the opener.
// The returned function ends that.
func (p Prompt) invite(ctx context.Context, ln *loopback.Listener, target string) (end func()) {
	if p.Open == nil {
		p.Show(target, nil)
		return func() {}
	}
	// Only our own start page: state and challenge stay out of argv (OAUTH X9).
	start := ln.StartURL()
	p.Show(start, nil)
	ctx, cancel := context.WithCancel(ctx)
	var opening sync.WaitGroup
	opening.Go(func() {
		if err := p.Open(ctx, start); err != nil && ctx.Err() == nil {
			p.Show(start, err)
		}
	})
	return func() {
		cancel()
		opening.Wait()
	}
}

// complete turns the authorization response into a stored credential. The grant
// that it replaces is revoked afterwards.
func (c *Client) complete(ctx context.Context, a *attempt, q url.Values) (*Credential, error) {
	code, err := a.code(q)
	if err != nil {
		return nil, err
	}
	res, err := c.exchange(ctx, a, code)
	if err != nil {
		return nil, err
	}
	cred := res.apply(Credential{Resource: a.resource, Server: a.server, Registration: a.registration, Scopes: a.scopes}, c.now())
	cred.SignedInAt, cred.Account = cred.ObtainedAt, res.account()
	old, err := c.replace(ctx, cred)
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
	case old.SignedIn():
		c.revokeReplaced(ctx, old, cred)
	}
	return cred, nil
}

func (c *Client) replace(ctx context.Context, cred *Credential) (old *Credential, err error) {
	err = c.cfg.Store.Update(ctx, func(_ context.Context, cur *Credential) (*Credential, error) {
		old = cur
		return cred, nil
	})
	return old, err
}

// isStored tells whether the store holds cred although it reported a failure:
// renamed, but the folder not synced.
func (c *Client) isStored(ctx context.Context, cred *Credential) bool {
	stored, err := c.cfg.Store.Load(ctx)
	return err == nil && stored.SignedIn() && stored.AccessToken == cred.AccessToken
}

// revokeReplaced ends the grant that a new sign-in replaced. A server that gave
// the same tokens again means the same grant: that one lives on.
func (c *Client) revokeReplaced(ctx context.Context, old, cred *Credential) {
	if old.RefreshToken == cred.RefreshToken || old.AccessToken == cred.AccessToken {
		return
	}
	for _, r := range c.revoke(ctx, old) {
		if r.Err != nil {
			c.log.WarnContext(ctx, "the login that was replaced could not be revoked", "token", r.Token, "err", r.Err)
		}
	}
}
