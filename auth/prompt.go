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

// audience is all who are shown the address of the sign-in that is open in this
// process: who began it and who joined it.
type audience struct {
	mu      sync.Mutex
	address string
	failure error // of opening the browser
	next    int
	shows   map[int]func(string, error)
}

// join adds one, who is told at once what the others were told.
func (a *audience) join(show func(string, error)) (leave func()) {
	if show == nil {
		return func() {}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shows == nil {
		a.shows = map[int]func(string, error){}
	}
	id := a.next
	a.next++
	a.shows[id] = show
	if a.address != "" {
		show(a.address, a.failure)
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.shows, id)
	}
}

// tell shows all the address; nothing is shown twice.
func (a *audience) tell(address string, failure error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.address == address && failure == nil {
		return
	}
	a.address, a.failure = address, failure
	for _, show := range a.shows {
		show(address, failure)
	}
}

// forget ends it for those who come later.
func (a *audience) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.address, a.failure = "", nil
}

// invite brings the person to the first page, without waiting for the opener.
// The returned function ends that.
func (c *Client) invite(ctx context.Context, address string, open func(context.Context, string) error) (end func()) {
	c.audience.tell(address, nil)
	if open == nil {
		return c.audience.forget
	}
	ctx, cancel := context.WithCancel(ctx)
	var opening sync.WaitGroup
	opening.Go(func() {
		if err := open(ctx, address); err != nil && ctx.Err() == nil {
			c.audience.tell(address, err)
		}
	})
	return func() {
		cancel()
		opening.Wait()
		c.audience.forget()
	}
}
