package auth

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

// lateLimit is how long a person who comes too late is told so: one who had to
// look for the phone.
const lateLimit = 2 * time.Minute

// lingering is the listener of the last sign-in whose time was over, which tells
// so to who comes too late.
type lingering struct {
	mu sync.Mutex
	ln *loopback.Listener
}

// replace frees the port of the last one.
func (l *lingering) replace(ln *loopback.Listener) {
	l.mu.Lock()
	old := l.ln
	l.ln = ln
	l.mu.Unlock()
	if old != nil {
		_ = old.Close() // nothing is lost with a port
	}
}

// leavePort ends the listening of a sign-in that ended with err. A port that the
// user has fixed is freed at once: another program of theirs may need it.
func (c *Client) leavePort(ln *loopback.Listener, err error) {
	if c.cfg.CallbackPort == 0 && (errors.Is(err, ErrTimeout) || errors.Is(err, ErrTwoBrowsers)) {
		ln.Linger(lateLimit)
		c.lingering.replace(ln)
		return
	}
	_ = ln.Close() // nothing is lost with a port
}

// listenAgain binds the port of a registered redirect URI, also when another
// process of this program lingers there.
func listenAgain(ctx context.Context, uri string) (*loopback.Listener, error) {
	port := registeredPort(&Registration{RedirectURI: uri})
	ln, err := loopback.Listen(ctx, port)
	if err != nil && loopback.Vacate(ctx, uri) {
		return loopback.Listen(ctx, port)
	}
	return ln, err
}
