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

// Listen holds the stand-alone GET stream open and delivers what comes on it,
// in order (RELAY H7). It opens it again whenever it ends, slower and slower if
// nothing comes of it, and returns when ctx ends or the server turns out to
// offer no such stream. It never asks for a sign-in: without a usable token it
// waits until there is another.
func (c *Client) Listen(ctx context.Context, deliver func(jsonmsg.Message)) {
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
			if !sleep(ctx, l.pause.next(l.retry)) {
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
	retry   time.Duration  // named by the server on the last stream; 0 = none
	refused *redact.Secret // the token that got a 401; nil = none did
}

// once opens the stream and reads it to its end. alive: it delivered something.
// none: the server has no such stream, or not for us.
func (l *listener) once(ctx context.Context) (alive, none bool) {
	l.retry, l.refused = 0, nil
	x := &exchange{client: l.client, verb: http.MethodGet}
	resp, e := x.send(ctx)
	if e != nil {
		if e.Kind == KindSignIn {
			l.refused = &x.token
		}
		l.client.log.LogAttrs(ctx, slog.LevelDebug, "the stream could not be opened", slog.Any("error", e))
		return false, false
	}
	if resp.StatusCode != http.StatusOK || mediaType(resp.Header) != mediaEvents {
		discard(resp)
		l.client.log.LogAttrs(ctx, slog.LevelDebug, "the server offers no stream", slog.Int("status", resp.StatusCode))
		return false, !passing(resp.StatusCode)
	}
	defer resp.Body.Close()
	return l.read(ctx, resp), false
}

// passing reports whether a status may be another one later. 405, 404 and 501
// mean that there is no stream, and so does any answer that is no stream.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusForbidden:
		return true
	}
	return status >= 500 && status != http.StatusNotImplemented
}

// read delivers what comes on an open stream. A bad event is skipped.
func (l *listener) read(ctx context.Context, resp *http.Response) (alive bool) {
	l.client.withEvents(resp.Body, func(events *eventReader) { alive = l.readStream(ctx, events) })
	return alive
}

func (l *listener) readStream(ctx context.Context, events *eventReader) (alive bool) {
	for {
		m, err := nextMessage(events)
		l.retry = events.retry
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
