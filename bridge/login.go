package bridge

import "context"

// Login is the sign-in as the bridge sees it. It is declared here because the
// bridge knows no OAuth. Its methods are called from many goroutines at once.
type Login interface {
	// Standing tells what the disk alone shows, at once: it asks neither the
	// keychain nor the network.
	Standing() Standing
	// Open joins the sign-in that is open, or begins one; it goes on after Open
	// has returned, until it ends or ctx does. An error means that none can be
	// had, and carries a hint.
	Open(ctx context.Context, how How) (Invitation, error)
	// Await blocks until somebody has signed in, in whatever process, or ctx ends.
	// It takes over a sign-in whose process is gone, and never begins one.
	Await(ctx context.Context) error
}

// Standing is how the login stands as far as the disk shows.
type Standing int

// The standings.
const (
	StandingUnknown   Standing = iota // nobody is signed in, and the server may want nobody to
	StandingSignedIn                  // there is a login; whether it still works only the server can tell
	StandingSignedOut                 // nobody is signed in, and the server is known to want it
	StandingEnded                     // the server ended the login
)

// How says what a sign-in has to fit into.
type How struct {
	By      string // the program that asks, for those who find the sign-in open
	HandOut bool   // the host shows the address itself: nothing is opened here
	Again   bool   // a person asks for it by name: a page that was closed is opened again
}

// Invitation is a sign-in that is open.
type Invitation struct {
	URL       string          // where a person goes; "" if that is not known
	Elsewhere bool            // another process has it open
	By        string          // the program that began it
	Unopened  <-chan struct{} // closed if no browser could be opened; nil: never
	Done      <-chan struct{} // closed when it has ended; nil: only Await tells
	Err       func() error    // how it ended; nil is success
}
