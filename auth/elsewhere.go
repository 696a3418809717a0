package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// firstWord is how long another process that has the claim may take until its
	// attempt is sealed: it asks the authorization server for its metadata first.
	firstWord = 2 * time.Second
	// openPause and idlePause are between two looks at the store, with and
	// without an open sign-in.
	openPause = 250 * time.Millisecond
	idlePause = 2 * time.Second
	// bindLimit is how long the port of a dead process may stay taken.
	bindLimit = 5 * time.Second
)

// ElsewhereError: another process has the sign-in open.
type ElsewhereError struct {
	By     string    // the program that began it; "": not known yet
	URL    string    // what its person was shown; "": not known yet
	Expiry time.Time // when it gives up; zero: not known yet
	// Code is set for a sign-in by code (RFC 8628).
	Code *UserCode
}

// Error implements error.
func (e *ElsewhereError) Error() string {
	if e.By == "" {
		return "another payu-mcp is opening a sign-in"
	}
	return "a sign-in is open already, started by " + e.By
}

func (c *Client) elsewhere(a *Attempt) *ElsewhereError {
	a = a.seal().unseal() // a copy: others read what Load gave
	if !c.live(a) || !c.isSafe(a) {
		return &ElsewhereError{} // who has the claim will soon have another
	}
	address, err := a.address(IsLoopback(c.cfg.Resource))
	if err != nil {
		address = ""
	}
	other := &ElsewhereError{By: cmp.Or(a.By, loginCommand), URL: address, Expiry: a.Expiry}
	if a.Device != nil {
		other.Code = &a.Device.UserCode
	}
	return other
}

// goal tells whether a stored credential is what a sign-in was asked for.
type goal func(cred *Credential) bool

// goalOf: without Anew a login that nobody has refused, with it one that a
// person made since now.
func (c *Client) goalOf(ctx context.Context, p Prompt) goal {
	if !p.Anew {
		return func(cred *Credential) bool { return c.usable(c.own(cred)) }
	}
	before, err := c.load(ctx)
	var since time.Time
	if before != nil {
		since = before.SignedInAt
	}
	return func(cred *Credential) bool {
		cred = c.own(cred)
		return err == nil && cred.SignedIn() && !cred.SignedInAt.Equal(since)
	}
}

// claim takes the right to open a sign-in. Both results are nil when another
// process reached the goal meanwhile. With p.Anew it waits while another process
// has a sign-in open, and shows its address.
func (c *Client) claim(ctx context.Context, p Prompt, reached goal) (release func(), err error) {
	began, pause := time.Now(), 50*time.Millisecond
	for {
		release, ok, err := c.cfg.Store.Claim(ctx)
		if err != nil {
			return nil, fmt.Errorf("claiming the sign-in: %w", err)
		}
		if ok {
			return release, nil
		}
		cred, err := c.cfg.Store.Load(ctx)
		if err == nil && reached(cred) {
			return nil, nil
		}
		other := c.elsewhere(cred.attempt())
		if !p.Anew && (other.URL != "" || time.Since(began) > firstWord) {
			return nil, other
		}
		if other.URL != "" {
			c.audience.tell(told{address: other.URL, code: other.Code})
			pause = openPause
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// Await waits until the store holds a login that nobody has refused, whichever
// process made it, or ctx ends. A sign-in that is open but whose process is gone
// it takes over: the open tab completes. It never opens a browser and never
// begins a sign-in. It looks at the store every few seconds, and more often while
// a sign-in is open.
func (c *Client) Await(ctx context.Context) error {
	for {
		pause := idlePause
		cred, err := c.cfg.Store.Load(ctx)
		switch a := cred.attempt(); {
		case err != nil: // it may pass
		case c.usable(c.own(cred)):
			return nil
		case c.live(a) && !c.isStuck(a):
			pause = openPause
			c.takeOver(ctx)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// errNothingOpen: there was nothing to take over.
var errNothingOpen = errors.New("no sign-in is open")

// takeOver serves the sealed attempt of a process that is gone, if this process
// has no sign-in of its own under way.
func (c *Client) takeOver(ctx context.Context) {
	err := c.signingIn.alone(ctx, func(ctx context.Context) error {
		release, ok, err := c.cfg.Store.Claim(ctx)
		if err != nil || !ok {
			return errors.Join(errNothingOpen, err)
		}
		defer release()
		cur, err := c.remembered(ctx)
		if err != nil {
			return errors.Join(errNothingOpen, err)
		}
		a := cur.attempt()
		if c.usable(c.own(cur)) || !c.live(a) {
			return errNothingOpen
		}
		ln, err := c.rebind(ctx, a, challenge{})
		if err != nil {
			return errors.Join(errNothingOpen, err)
		}
		c.log.InfoContext(ctx, "an open sign-in is taken over from a process that has ended")
		return c.serve(ctx, ln, a, Prompt{})
	})
	if err != nil && !errors.Is(err, errNothingOpen) && ctx.Err() == nil {
		c.log.WarnContext(ctx, "the sign-in that was taken over failed", "err", err)
	}
}

// stuck is an attempt that this process cannot take over.
type stuck struct {
	a     *Attempt
	since time.Time // zero: it never will
}

// noteStuck remembers that a could not be taken over now, or never.
func (c *Client) noteStuck(a *Attempt, never bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case never:
		c.stuck = stuck{a: a}
	case !c.stuck.a.same(a):
		c.stuck = stuck{a, time.Now()}
	}
}

func (c *Client) isStuck(a *Attempt) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stuck.a.same(a) && time.Since(c.stuck.since) > bindLimit
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
