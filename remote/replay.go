package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// renewLimit bounds the making of a session, for which requests wait.
const renewLimit = time.Minute

var errNothingToReplay = errors.New("the host has not initialized a session")

// renewal is one replay under way, that all who need it wait for (RELAY O7).
type renewal struct {
	done chan struct{}
	err  error // read after done
}

// renew replaces session gen by replaying the host's initialize and what
// followed (RELAY S1). It is the one mechanism for a lost session and for a
// sign-in in the middle of one, and done once for all who wait. nil: there is a
// newer session now.
func (c *Client) renew(ctx context.Context, gen int) error {
	r, err := c.renewal(ctx, gen)
	if r == nil || err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// renewal returns the replay that is under way, begun if need be; nil: none is
// needed any more.
func (c *Client) renewal(ctx context.Context, gen int) (*renewal, error) {
	s := &c.session
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gen != gen:
		return nil, nil // somebody was faster
	case s.renew != nil:
		return s.renew, nil
	case s.host.initialize.Raw == nil:
		return nil, errNothingToReplay
	}
	r, host := &renewal{done: make(chan struct{})}, s.host
	host.subscriptions = maps.Clone(host.subscriptions)
	s.renew = r
	go c.replay(ctx, r, host)
	return r, nil
}

// replay makes the new session and tells the host what it may have missed.
func (c *Client) replay(ctx context.Context, r *renewal, host script) {
	ctx, cancel := c.ownContext(ctx)
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, renewLimit)
	defer stop()
	features, err := c.initializeAgain(ctx, host)
	if err == nil {
		c.repeatState(ctx, host)
		c.log.LogAttrs(ctx, slog.LevelInfo, "the MCP session was made anew")
	}
	r.err = err
	c.session.mu.Lock()
	c.session.renew = nil
	c.session.mu.Unlock()
	close(r.done)
	if err == nil {
		c.announce(ctx, features)
	}
}

// initializeAgain sends initialize and initialized, and returns what the server
// then offers.
func (c *Client) initializeAgain(ctx context.Context, host script) (features []string, err error) {
	var answer jsonmsg.Message
	if e := c.tell(ctx, host.initialize, func(m jsonmsg.Message) { answer = m }); e != nil {
		return nil, e
	}
	if answer.IsError {
		return nil, &Error{Kind: KindSessionLost, Err: errors.New("the server refuses a new session")}
	}
	if host.initialized.Raw == nil {
		return nil, nil
	}
	if e := c.tell(ctx, host.initialized, nil); e != nil {
		return nil, e
	}
	return listFeatures(answer), nil
}

// repeatState tells the new session what the host told the old one. A failure
// costs the host's log level or a subscription, and no request.
func (c *Client) repeatState(ctx context.Context, host script) {
	state := make([]jsonmsg.Message, 0, len(host.subscriptions)+1)
	if host.level.Raw != nil {
		state = append(state, host.level)
	}
	for _, m := range host.subscriptions {
		state = append(state, m)
	}
	for _, m := range state {
		if e := c.tell(ctx, m, nil); e != nil {
			c.log.LogAttrs(ctx, slog.LevelWarn, "the new session was not told all", slog.String("method", printable.Word(m.Method)), slog.Any("error", e))
		}
	}
}

// tell sends a message of the host's once more, as one of our own: a request
// gets an id of ours, and its answer does not reach the host (RELAY O6).
func (c *Client) tell(ctx context.Context, m jsonmsg.Message, answer func(jsonmsg.Message)) *Error {
	if m.Kind == jsonmsg.Request {
		m = m.WithID(c.ownID())
	}
	x := &exchange{client: c, verb: http.MethodPost, msg: m, own: true, hooks: Hooks{Deliver: func(m jsonmsg.Message) {
		if answer != nil && m.Kind == jsonmsg.Response {
			answer(m)
		}
	}}}
	return x.do(ctx)
}

// ownID returns an id of our own. No host sees it, so it can collide with
// nothing but ids of ours.
func (c *Client) ownID() []byte {
	return strconv.AppendQuote(nil, "payu-mcp/"+strconv.FormatInt(c.ids.Add(1), 10))
}

// settle waits for a session that is being made, and makes one if the last was
// left, or token comes from another sign-in than the one that it was made for:
// its server side may hang on the account, and a call must not act for the one
// who left.
func (c *Client) settle(ctx context.Context, token redact.Secret, grant string) error {
	r, orphan, gen := c.session.unsettled(token, grant)
	switch {
	case r != nil:
		select {
		case <-r.done:
			if orphan && r.err != nil {
				return fmt.Errorf("beginning a new session: %w", r.err)
			}
			return nil // if it failed, the server will say so again
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	case !orphan:
		return nil
	}
	c.leave(ctx, gen)
	if err := c.renew(ctx, gen); err != nil && !errors.Is(err, errNothingToReplay) {
		return fmt.Errorf("beginning a new session after the sign-in: %w", err)
	}
	return nil
}

// announce tells the host that lists may have changed: it has missed what the
// server said between the sessions.
func (c *Client) announce(ctx context.Context, features []string) {
	deliver := c.unasked.get()
	if deliver == nil {
		return
	}
	for _, feature := range features {
		raw := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/%s/list_changed"}`, feature)
		if m, err := jsonmsg.Scan([]byte(raw)); err == nil && ctx.Err() == nil {
			deliver(m)
		}
	}
}
