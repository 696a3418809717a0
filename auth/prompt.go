package auth

import (
	"context"
	"sync"
)

// Prompt is how a sign-in reaches a person.
type Prompt struct {
	// Open opens a URL in the person's browser. nil hands the authorization URL
	// out instead: such a flow is bound by state and PKCE alone (OAUTH section 5).
	Open func(ctx context.Context, url string) error
	// Show is given the address to open by hand: at once, and again with the
	// reason when the browser could not be opened. It must not block. Who joins a
	// sign-in that is open already is shown its address at once. nil: nobody is
	// shown anything.
	Show func(url string, openErr error)
	// WantCode asks for a sign-in by code (RFC 8628) where the server offers one. Open
	// must be nil.
	WantCode bool
	// ShowCode is given a code to show, as Show is its address. nil: Show is given the
	// page's address alone.
	ShowCode func(UserCode)
	// NoCode is told why the server gives no code although it offers that; an address
	// for Show follows. nil: nobody is told.
	NoCode func(error)
	// By names the program that asks, such as the host, for those who find the
	// sign-in open; "" is the login command.
	By string
	// Anew asks for a sign-in although somebody is signed in, and waits for one
	// that another process has open instead of failing with ElsewhereError.
	Anew bool
	// Pasted gives addresses of the last page that a person pasted, for a flow
	// that is handed out. What does not belong to it is told to Refuse, and the
	// sign-in goes on.
	Pasted <-chan string
	Refuse func(error)
}

// told is what those who wait for a sign-in were told of it last.
type told struct {
	address string
	code    *UserCode // for a sign-in by code
	failure error     // of opening the browser
}

// same tells whether a person would be shown the same.
func (t told) same(b told) bool {
	if t.code != nil && b.code != nil {
		return *t.code == *b.code
	}
	return t.address == b.address && t.code == b.code
}

// showTo tells p.
func (t told) showTo(p Prompt) {
	switch {
	case t.code != nil && p.ShowCode != nil:
		p.ShowCode(*t.code)
	case p.Show != nil:
		p.Show(t.address, t.failure)
	}
}

// audience is all who are shown the address of the sign-in that is open in this
// process: who began it and who joined it.
type audience struct {
	mu    sync.Mutex
	last  told
	next  int
	shows map[int]Prompt
}

// join adds one, who is told at once what the others were told.
func (a *audience) join(p Prompt) (leave func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shows == nil {
		a.shows = map[int]Prompt{}
	}
	id := a.next
	a.next++
	a.shows[id] = p
	if a.last.address != "" {
		a.last.showTo(p)
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.shows, id)
	}
}

// tell shows all what is new; nothing is shown twice.
func (a *audience) tell(t told) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.failure == nil && a.last.same(t) {
		return
	}
	a.last = t
	for _, p := range a.shows {
		t.showTo(p)
	}
}

// forget ends it for those who come later.
func (a *audience) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = told{}
}

// invite brings the person to the first page, without waiting for the opener.
// The returned function ends that.
func (c *Client) invite(ctx context.Context, address string, open func(context.Context, string) error) (end func()) {
	c.audience.tell(told{address: address})
	if open == nil {
		return c.audience.forget
	}
	ctx, cancel := context.WithCancel(ctx)
	var opening sync.WaitGroup
	opening.Go(func() {
		if err := open(ctx, address); err != nil && ctx.Err() == nil {
			c.audience.tell(told{address: address, failure: err})
		}
	})
	return func() {
		cancel()
		opening.Wait()
		c.audience.forget()
	}
}
