package auth

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

const (
	completeLimit   = 75 * time.Second // exchange, lock, keychain, and two revocations of 15 s
	resultPageLimit = 3 * time.Second
)

// SignIn lets a person sign in, stores the credential and returns it. Without
// p.Anew it returns at once when somebody is signed in and nobody has refused the
// token. It runs once at a time on this computer: others of this process who ask
// meanwhile wait for the same one, and while another process has one open it ends
// with ElsewhereError, or with p.Anew waits for that one. An open sign-in whose
// process is gone is taken over: same port, same tab, and no browser is opened
// but for p.Anew, or if nobody has seen the page yet.
//
// It ends with ErrDenied, ErrTimeout, ErrServer or the Store's error; what was
// stored before stays until the new credential is stored, then the old grant is
// revoked. When the last who waits leaves, the sign-in ends too, but stays in the
// Store for the next process.
func (c *Client) SignIn(ctx context.Context, p Prompt) (*Credential, error) {
	if cred, err := c.load(ctx); err == nil && !p.Anew && c.usable(cred) {
		return cred, nil
	}
	defer c.audience.join(p)()
	err := errNothingOpen
	for errors.Is(err, errNothingOpen) { // it joined an Await that had nothing to take over
		err = c.signingIn.do(ctx, false, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.SignInLimit, ErrTimeout)
			defer cancel()
			defer c.audience.forget()
			return c.timedOut(ctx, c.signIn(ctx, p))
		})
	}
	if err != nil {
		return nil, err
	}
	return c.load(ctx)
}

// timedOut tells the end of a sign-in's own time from other ends.
func (c *Client) timedOut(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && errors.Is(context.Cause(ctx), ErrTimeout) {
		return hint.With(ErrTimeout, "start again with payu-mcp login and finish within "+humanLimit(c.cfg.SignInLimit))
	}
	return err
}

func (c *Client) signIn(ctx context.Context, p Prompt) error {
	ch, err := c.reason()
	if err != nil {
		return err
	}
	reached := c.goalOf(ctx, p)
	release, err := c.claim(ctx, p, reached)
	if err != nil || release == nil {
		return err
	}
	defer release()
	c.lingering.replace(nil)
	cur, err := c.remembered(ctx)
	if err != nil || reached(cur) {
		return err
	}
	if ln, a := c.resume(ctx, cur, ch, p); a != nil {
		if !p.Anew && a.Opened {
			p.Open = nil // the tab is open
		}
		return c.serve(ctx, ln, a, p)
	}
	if old := cur.attempt(); old != nil {
		c.dropAttempt(ctx, old) // nobody is sent to it while the new one is prepared
		if !c.now().Before(old.Expiry) {
			cur = cur.unfinished(old)
		}
	}
	return c.begin(ctx, cur, ch, p)
}

// reason is the challenge that a sign-in starts from (OAUTH A1).
func (c *Client) reason() (challenge, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.challenge != nil:
		return *c.challenge, nil
	case isPayU(c.cfg.Resource): // known to want a sign-in, whatever it answers without one
		return challenge{}, nil
	default:
		return challenge{}, ErrNoChallenge
	}
}

// begin makes a new attempt and serves it.
func (c *Client) begin(ctx context.Context, cur *Credential, ch challenge, p Prompt) error {
	d, err := c.discover(ctx, ch)
	if err != nil {
		return err
	}
	c.widen(d, ch, cur)
	if !p.WantCode {
		d.server.DeviceEndpoint = "" // no grant is asked for that is not used
	}
	ln, reg, err := c.prepare(ctx, d, cur)
	if err != nil {
		return err
	}
	if err := c.checkBare(ctx, d, reg); err != nil {
		return errors.Join(err, ln.Close())
	}
	a := newAttempt(d, c.withSealedSecret(reg, d.server, cur), ln.RedirectURI())
	a.compare(c.known(d, cur))
	a.Bound, a.By, a.Expiry = p.Open != nil, clean(p.By), c.now().Add(c.cfg.SignInLimit)
	err = c.askForCode(ctx, a, p)
	if err == nil {
		err = c.sealAttempt(ctx, a)
	}
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return c.serve(ctx, ln, a, p)
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
		reg := c.preRegistered(d.server, ln.RedirectURI())
		c.warnRefused(ctx, d, reg)
		return ln, reg, nil
	case c.usesDocument(d.server):
		reg := c.byDocument(d.server, ln.RedirectURI())
		c.warnRefused(ctx, d, reg)
		return ln, reg, nil
	case known != nil && known.RedirectURI == ln.RedirectURI() && (known.Device || d.server.DeviceEndpoint == "") && !c.forgotten(ctx, d, *known):
		return ln, *known, nil
	}
	reg, err := c.registerWithCode(ctx, d, ln.RedirectURI())
	if errors.Is(err, errRedirectRefused) {
		reg, err = c.registerByName(ctx, d, ln, err)
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
// (OAUTH A15: never one of another issuer). One whose secret ends before the
// sign-in may is made anew.
func (c *Client) known(d *discovery, cur *Credential) *Registration {
	if cur == nil || c.usesDocument(d.server) {
		return nil
	}
	r := &cur.Registration
	expires := r.Secret != "" && !r.SecretExpiry.IsZero() && !c.now().Add(c.cfg.SignInLimit).Before(r.SecretExpiry)
	if !r.Dynamic || r.Issuer != d.server.Issuer || r.ClientID == "" || expires {
		return nil
	}
	return r
}

// listen binds the redirect: where the known registration has it, else on the
// user's port, else on any.
func (c *Client) listen(ctx context.Context, known *Registration) (*loopback.Listener, error) {
	port := c.cfg.CallbackPort
	if known != nil && (port == 0 || port == registeredPort(known)) {
		if ln, err := listenFor(ctx, known.RedirectURI); err == nil {
			return ln, nil
		}
	}
	ln, err := loopback.Listen(ctx, port)
	if err != nil && port != 0 {
		err = hint.With(err, "port "+strconv.Itoa(port)+" is taken: close the program that has it, or give another --callback-port")
	}
	return ln, err
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
	if old.RefreshToken != "" && old.RefreshToken == cred.RefreshToken || old.AccessToken == cred.AccessToken {
		return
	}
	for _, r := range c.revoke(ctx, old) {
		if r.Err != nil && !errors.Is(r.Err, ErrTokenKind) {
			c.log.WarnContext(ctx, "the login that was replaced could not be revoked", "token", r.Token, "err", r.Err)
		}
	}
}
