package remote

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// steady is how long a GET stream must have lived, if it said nothing, to count
// as working: its end then starts the back-off afresh.
const steady = 30 * time.Second

// Listen delivers what the server says unasked, in order, until ctx ends: it
// holds the stand-alone GET stream open (RELAY H7), and opens it again whenever
// it ends, slower and slower if nothing comes of it. Where a server offers no
// such stream, or has lost the session, or the session was left because its
// sign-in is gone, it waits for the next session. What we
// say ourselves when a session was made anew is delivered too. It never asks for
// a sign-in: without a usable token it waits until there is another.
func (c *Client) Listen(ctx context.Context, deliver func(jsonmsg.Message)) {
	c.unasked.set(deliver)
	defer c.unasked.set(nil)
	for ctx.Err() == nil {
		over, next := c.session.current()
		if over != nil {
			c.listenIn(ctx, over, deliver)
		}
		select {
		case <-next:
		case <-ctx.Done():
		}
	}
}

// listenIn holds the stream of one session open; over ends it.
func (c *Client) listenIn(ctx context.Context, over <-chan struct{}, deliver func(jsonmsg.Message)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-over:
			cancel()
		case <-ctx.Done():
		}
	}()
	l := listener{client: c, deliver: deliver}
	for {
		opened := time.Now()
		alive, none := l.once(ctx)
		if none || ctx.Err() != nil {
			return
		}
		if alive || time.Since(opened) >= steady {
			l.pause.reset()
		}
		for {
			if !sleep(ctx, l.pause.next(l.at.retry)) {
				return
			}
			if l.worthIt(ctx) {
				break
			}
		}
	}
}

// listener is the state of the GET stream between its openings.
type listener struct {
	client  *Client
	deliver func(jsonmsg.Message)
	pause   backoff
	at      position
	refused *redact.Secret // the token that got a 401; nil = none did
}

// once opens the stream and reads it to its end. alive: it delivered something.
// none: the server has no such stream, or not for us.
func (l *listener) once(ctx context.Context) (alive, none bool) {
	after := l.at.id
	l.at, l.refused = position{id: after}, nil
	resp, f := l.open(ctx)
	if f != nil {
		l.client.log.LogAttrs(ctx, slog.LevelDebug, "the stream could not be opened", slog.Any("error", f.err))
		return false, false
	}
	if resp.StatusCode != http.StatusOK || mediaType(resp.Header) != mediaEvents {
		discard(resp)
		l.client.log.LogAttrs(ctx, slog.LevelDebug, "the server offers no stream", slog.Int("status", resp.StatusCode))
		l.at.id = "" // perhaps it was the event that it did not like
		return false, after == "" && !passing(resp.StatusCode)
	}
	defer resp.Body.Close()
	return l.read(ctx, resp), false
}

// open sends the GET, once more after a 401 that the Authorizer could help.
func (l *listener) open(ctx context.Context) (*http.Response, *failure) {
	for first := true; ; first = false {
		x := &exchange{client: l.client, verb: http.MethodGet, own: true, lastID: l.at.id}
		resp, f := x.open(ctx)
		if f != nil || resp.StatusCode != http.StatusUnauthorized {
			return resp, f
		}
		discard(resp)
		f = &failure{event: eventUnauthorized, status: resp.StatusCode, token: x.token, challenges: resp.Header.Values("WWW-Authenticate")}
		if f.err = l.client.rejected(ctx, f); f.err != nil || !first {
			l.refused = &x.token
			return nil, f
		}
	}
}

// passing reports whether a status may be another one later. 405, 404 and 501
// mean that there is no stream, and so does any answer that is no stream.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusForbidden, http.StatusUnauthorized:
		return true
	}
	return status >= 500 && status != http.StatusNotImplemented
}

// read delivers what comes on an open stream. A bad event is skipped.
func (l *listener) read(ctx context.Context, resp *http.Response) (alive bool) {
	l.client.withEvents(resp.Body, &l.at, func(events *eventReader) { alive = l.readStream(ctx, events) })
	return alive
}

func (l *listener) readStream(ctx context.Context, events *eventReader) (alive bool) {
	for {
		m, err := nextMessage(events)
		switch {
		case errors.Is(err, errTooLarge), errors.Is(err, errMessage):
			l.client.log.LogAttrs(ctx, slog.LevelWarn, "skipped a bad event of the server", slog.Any("error", err))
		case err != nil:
			l.client.log.LogAttrs(ctx, slog.LevelDebug, "the stream ended", slog.Any("error", err))
			return alive
		default:
			alive = true
			l.deliver(m)
		}
	}
}

// worthIt reports whether opening the stream may work: not while the token is
// the one that was refused, so that an idle bridge costs the server nothing.
func (l *listener) worthIt(ctx context.Context) bool {
	if l.refused == nil {
		return true
	}
	token, err := l.client.token(ctx)
	return err == nil && token != *l.refused
}

// sleep waits; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
