package auth

// RFC 6749 section 6 (refresh) with RFC 9700 section 4.14 (rotation): one
// refresh at a time in this process and, through the Store's lock, on this
// computer (OAUTH section 4).

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

const (
	lockLimit     = 20 * time.Second // longer than another's refresh usually holds the lock
	maxMargin     = time.Minute      // OAUTH L1
	firstBackoff  = time.Second
	maxBackoff    = time.Minute
	endedByServer = "the server ended the login"
)

// due tells whether cred wants a refresh: 20 % of its life before the end, at
// most a minute, and a little jitter (OAUTH L1).
func (c *Client) due(cred *Credential) bool {
	if cred.Expiry.IsZero() {
		return false
	}
	margin := min(maxMargin, cred.Expiry.Sub(cred.ObtainedAt)/5)
	margin += time.Duration(float64(margin) * c.jitter)
	return !c.now().Before(cred.Expiry.Add(-margin))
}

// expired tells whether cred's access token is certainly of no use.
func (c *Client) expired(cred *Credential) bool {
	return !cred.Expiry.IsZero() && !c.now().Before(cred.Expiry)
}

// refresh replaces the access token stale, which the resource may have refused
// with ch. When it returns nil, the store holds what is true now: new tokens,
// somebody else's new tokens, or no grant. An error means that the refresh failed
// for now and the credential is kept.
func (c *Client) refresh(ctx context.Context, stale redact.Secret, ch challenge) error {
	if err := c.backoffError(); err != nil {
		return err
	}
	return c.refreshing.do(ctx, true, func(ctx context.Context) error {
		// Detached from the request and from SIGTERM: a rotated token must be stored (OAUTH L5).
		moved := c.hasMoved(ctx, stale, ch)
		ctx, cancel := context.WithTimeout(ctx, lockLimit)
		defer cancel()
		if moved {
			return c.dropMoved(ctx, stale)
		}
		return c.refreshUnderLock(ctx, stale)
	})
}

func (c *Client) refreshUnderLock(ctx context.Context, stale redact.Secret) error {
	var failure error
	err := c.cfg.Store.Update(ctx, func(ctx context.Context, cur *Credential) (*Credential, error) {
		if !cur.SignedIn() || cur.AccessToken != stale || cur.RefreshToken == "" {
			return cur, nil // somebody was faster: refreshed, signed out or signed in anew
		}
		// A time of its own: what was spent on waiting for the lock must not cut
		// off an answer with a rotated token in it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*requestTimeout)
		defer cancel()
		var next *Credential
		next, failure = c.spend(ctx, cur)
		return next, nil
	})
	switch {
	case errors.Is(err, ErrNotSaved):
		c.log.WarnContext(ctx, "the refreshed login is kept in memory only", "err", err)
	case err != nil:
		failure = fmt.Errorf("refreshing the login: %w", err)
	}
	c.noteRefresh(failure)
	return failure
}

// spend uses the refresh token of cur and returns what is to be stored. The
// error is a failure that passes; then the grant stays as it is (OAUTH L7).
func (c *Client) spend(ctx context.Context, cur *Credential) (*Credential, error) {
	res, err := c.refreshRequest(ctx, cur)
	if isLost(err) && ctx.Err() == nil {
		// The answer may have been lost: the same token once more, at once (OAUTH L6).
		res, err = c.refreshRequest(ctx, cur)
	}
	if refusesResource(err) && cur.Resource != "" {
		cur, res, err = c.refreshBare(ctx, cur)
	}
	if err == nil {
		next := res.apply(*cur, c.now())
		next.LastRefresh = Refresh{At: c.now(), Result: "ok"}
		return next, nil
	}
	return c.afterFailedRefresh(ctx, cur, err)
}

func (c *Client) refreshRequest(ctx context.Context, cur *Credential) (*tokenAnswer, error) {
	return c.tokenRequest(ctx, cur.Server, cur.Registration, withResource(url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {cur.RefreshToken.Reveal()},
	}, cur.Resource))
}

// afterFailedRefresh decides by the error's code alone: only invalid_grant ends
// a grant (OAUTH L7), and a registration that the server forgot (OAUTH L8).
func (c *Client) afterFailedRefresh(ctx context.Context, cur *Credential, err error) (*Credential, error) {
	te, _ := errors.AsType[*tokenError](err)
	switch {
	case (grantDead(te) || clientDead(te, cur)) && !c.stillStored(ctx, cur):
		return cur, nil // what is stored now is somebody else's, and alive for all we know (OAUTH L6)
	case grantDead(te):
		c.log.WarnContext(ctx, "the server ended the login")
		return cur.withoutGrant(Refresh{At: c.now(), Result: endedByServer}), nil
	case clientDead(te, cur):
		c.log.WarnContext(ctx, "the server forgot this client")
		next := cur.withoutGrant(Refresh{At: c.now(), Result: endedByServer})
		next.Registration = Registration{}
		return next, nil
	}
	err = fmt.Errorf("refreshing the login: %w", err)
	if te != nil && te.code == "invalid_client" {
		err = hint.With(err, refusedAdvice(cur.Registration))
	} else if hint.Of(err) == "" {
		err = hint.With(err, "you are still signed in; try again in a moment")
	}
	next := *cur
	next.LastRefresh = Refresh{At: c.now(), Result: inTheClear(err)}
	return &next, err
}

func grantDead(te *tokenError) bool { return te != nil && te.code == "invalid_grant" }

func clientDead(te *tokenError, cur *Credential) bool {
	return te != nil && te.code == "invalid_client" && cur.Registration.Dynamic
}

// stillStored looks once more before a grant is dropped. The lock is held, but a
// file system may not heed it, nor may whoever puts a file back.
func (c *Client) stillStored(ctx context.Context, cur *Credential) bool {
	now, err := c.cfg.Store.Load(ctx)
	return err != nil || now.SignedIn() && now.AccessToken == cur.AccessToken
}

// inTheClear is what status may say of a failed refresh: no text of the server's.
func inTheClear(err error) string {
	te, ok := errors.AsType[*tokenError](err)
	switch {
	case ok:
		return te.short()
	case isLost(err):
		return "the token endpoint could not be reached"
	default:
		return "the token endpoint gave no usable answer"
	}
}

// isLost: no answer came. One that came and is of no use has spent the token.
func isLost(err error) bool {
	_, ok := errors.AsType[*lostError](err)
	return ok
}

// backoff keeps a token endpoint in trouble from being asked for every call.
type backoff struct {
	until time.Time
	step  time.Duration
	err   error
}

func (c *Client) backoffError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Before(c.backoff.until) && c.backoff.until.Sub(c.now()) <= maxBackoff {
		return c.backoff.err
	}
	return nil
}

func (c *Client) noteRefresh(failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if failure == nil {
		c.backoff = backoff{}
		return
	}
	step := max(firstBackoff, min(2*c.backoff.step, maxBackoff))
	wait := step
	if te, ok := errors.AsType[*tokenError](failure); ok {
		if s, err := strconv.Atoi(te.retryAfter); err == nil && s > 0 {
			wait = min(time.Duration(s)*time.Second, maxBackoff)
		}
	}
	c.backoff = backoff{until: c.now().Add(wait), step: step, err: failure}
}
