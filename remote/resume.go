package remote

import (
	"context"
	"net/http"
	"time"
)

// RELAY H8: a stream of the legacy era that breaks off goes on with a GET that
// names the last event. The request itself is never posted again for that.

const (
	maxEventID  = 1 << 10 // as a session id: it goes into a header
	maxResumes  = 5       // in a row that bring no new event
	resumePause = time.Second
)

// position is how far a stream has been read.
type position struct {
	id    string        // of the last event; "" = none had one
	retry time.Duration // what the server asked to wait before the next connection; 0 = nothing
	tries int           // since the last event that brought the stream on
	last  string        // id at the last try
}

// resumable reports whether the stream may be gone on with.
func (x *exchange) resumable(at position) bool {
	return at.id != "" && !x.msg.Modern() && at.tries < maxResumes
}

// resume opens the stream again after the last event and reads on. A server
// that does not keep streams leaves the outcome where it was: unknown.
func (x *exchange) resume(ctx context.Context, at *position) *failure {
	if at.id != at.last {
		at.tries, at.last = 0, at.id
	}
	at.tries++
	x.idle.pause()
	pause := max(at.retry, minRetry)
	if at.retry == 0 {
		pause = resumePause << (at.tries - 1)
	}
	if !sleep(ctx, pause+jitter(pause/5)) {
		return x.broken(ctx, context.Cause(ctx))
	}
	g := &exchange{client: x.client, verb: http.MethodGet, idle: x.idle, own: true, lastID: at.id}
	resp, f := g.open(ctx)
	switch {
	case f != nil && f.event == eventNotSent:
		return &failure{event: eventCut, err: f.err} // no network for now: tried again
	case f != nil && ctx.Err() != nil:
		return x.broken(ctx, context.Cause(ctx))
	case f != nil:
		at.id = ""
		return &failure{event: eventCut, err: f.err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || mediaType(resp.Header) != mediaEvents {
		if !passing(resp.StatusCode) {
			at.id = "" // 405 and the like
		}
		discard(resp)
		return &failure{event: eventCut, err: errNoAnswer}
	}
	return x.readEvents(ctx, resp, at)
}
