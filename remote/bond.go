package remote

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

const (
	deleteLimit = 2 * time.Second // RELAY H6
	// lookPause is between two looks at the sign-in that a session or stream
	// belongs to: a logout elsewhere is to end them within 5 s (OAUTH L11).
	lookPause = 2 * time.Second
)

// bond is a session as the server has it. It belongs to the sign-in that it was
// made for: when that is gone, by a logout or another sign-in in whatever
// process, the session is left, and the server is told so once nothing is in
// flight in it: a call that is under way may move money. The fields that change
// are guarded by session.mu.
type bond struct {
	id      redact.Secret // "": the server knows no sessions
	version string
	gen     int
	grant   string        // the sign-in that it was made for; "": not known
	token   redact.Secret // the newest that was used in it
	over    chan struct{} // closed when it is left or another begins
	look    chan struct{} // asks for a look now; 1 slot

	ended bool // over is closed
	left  bool
	calls int // in flight
}

// end closes over; nil has none.
func (b *bond) end() {
	if b != nil && !b.ended {
		b.ended = true
		close(b.over)
	}
}

func (b *bond) stamp(h http.Header) {
	if b.id != "" {
		h.Set(headerSession, b.id.Reveal())
	}
	if b.version != "" {
		h.Set(headerVersion, b.version)
	}
}

// leave gives the session of this number up: the next message makes another. It
// returns the bond if the server can be told at once.
func (s *session) leave(gen int) (b *bond, left bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bond == nil || s.gen != gen {
		return nil, false
	}
	b, s.bond = s.bond, nil
	b.left = true
	b.end()
	return s.idle(b), true
}

// exit ends what stamp began; it returns the bond if that was left meanwhile and
// the server can be told now.
func (s *session) exit(b *bond) *bond {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.calls--
	return s.idle(b)
}

// idle returns b if it was left and nothing is in flight in it, and the server
// would listen: it knows no session without an id, and a token that it has
// refused it refuses again. s.mu is held.
func (s *session) idle(b *bond) *bond {
	if !b.left || b.calls > 0 || b.id == "" || s.signed && s.orphan == b.token {
		return nil
	}
	return b
}

// close takes the session that is to be ended with the client; nil: none.
func (s *session) close() *bond {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bond
	if b == nil || b.id == "" {
		return nil
	}
	s.bond = nil
	b.end()
	return b
}

// owner returns the sign-in that b belongs to, "" if that cannot be named. ok: a
// token was used in it so far; one that needs none outlasts every sign-in.
func (s *session) owner(b *bond) (grant string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return b.grant, b.token != ""
}

// nudge asks for a look at the sign-in at once.
func (s *session) nudge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bond == nil {
		return
	}
	select {
	case s.bond.look <- struct{}{}:
	default:
	}
}

// leave ends a session whose sign-in is gone. What the host has to hear of it, it
// hears when it asks for something.
func (c *Client) leave(ctx context.Context, gen int) {
	b, left := c.session.leave(gen)
	if left {
		c.log.LogAttrs(ctx, slog.LevelInfo, "the sign-in of the MCP session is gone, the session ends")
	}
	c.depart(ctx, b)
}

// depart tells the server that a session was left, with the token that it had;
// after a logout the server may not take that any more. nil: there is nothing to
// tell. It does not wait; Close does.
func (c *Client) depart(ctx context.Context, b *bond) {
	if b == nil || !c.departures.begin() {
		return
	}
	// Nobody's request waits for it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteLimit)
	go func() {
		defer c.departures.end()
		defer cancel()
		if err := c.endSession(ctx, b); err != nil {
			c.log.LogAttrs(ctx, slog.LevelDebug, "the server was not told that a session was left", slog.Any("error", err))
		}
	}()
}

// endSession sends the DELETE. A server may refuse it: 405 is fine.
func (c *Client) endSession(ctx context.Context, b *bond) error {
	x := &exchange{client: c, verb: http.MethodDelete, ending: b}
	resp, f := x.open(ctx)
	if f != nil {
		return x.fault(decide(x.facts(f)).kind, f)
	}
	discard(resp)
	return nil
}

// bearer is the token that a request goes out with, and the sign-in that it comes
// from. A session is ended as whom it was begun: with a newer token of the same
// sign-in if there is one.
func (x *exchange) bearer(ctx context.Context) (token redact.Secret, grant string, err error) {
	b := x.ending
	if b != nil && b.left {
		return b.token, b.grant, nil
	}
	token, err = x.client.token(ctx)
	grant = x.client.grant(ctx, token)
	if b == nil || err == nil && token != "" && (b.grant == "" || grant == b.grant) {
		return token, grant, err
	}
	return b.token, b.grant, nil
}
