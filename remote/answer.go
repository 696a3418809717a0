package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

const (
	maxErrorBody = 64 << 10 // RELAY B4
	maxPrealloc  = 16 << 20 // how far a Content-Length is believed beforehand

	// lingerLimit is how long a finished stream may take to end, so that its
	// connection can be used again.
	lingerLimit = time.Second
)

var (
	errNoAnswer = errors.New("it ended without an answer")
	errTooLarge = errors.New("over the size limit")
	errOtherID  = errors.New("the answer is not to this request")
	// errMediaType: it need not be PayU that answered (PAYU N6).
	errMediaType = &sided{errors.New("it is neither JSON nor an event stream"), SideNetwork}
)

// receive takes the answer to a POST.
func (x *exchange) receive(ctx context.Context, resp *http.Response) *failure {
	status := resp.StatusCode
	switch {
	case status >= 300:
		return x.refused(ctx, resp)
	case x.msg.Kind != jsonmsg.Request:
		discard(resp)
		x.client.session.heard(x.msg)
		return nil
	}
	switch mediaType(resp.Header) {
	case mediaJSON:
		return x.single(ctx, resp)
	case mediaEvents:
		return x.stream(ctx, resp)
	}
	if status == http.StatusOK {
		return &failure{event: eventPage, status: status, err: errMediaType}
	}
	return &failure{event: eventUnreadable, status: status, err: errNoAnswer}
}

// single takes an answer of one JSON body.
func (x *exchange) single(ctx context.Context, resp *http.Response) *failure {
	body, err := x.client.readAll(resp)
	if errors.Is(err, errTooLarge) {
		return &failure{event: eventTooLarge, status: resp.StatusCode}
	}
	if err != nil {
		return x.broken(ctx, err)
	}
	m, err := jsonmsg.Scan(jsonmsg.Compact(body))
	if err != nil {
		return &failure{event: eventUnreadable, status: resp.StatusCode, err: err}
	}
	m, ok := x.mine(m)
	if !ok {
		return &failure{event: eventUnreadable, status: resp.StatusCode, err: errOtherID}
	}
	return x.answered(ctx, m, resp)
}

// stream takes an answer of server-sent events: other messages first, the
// response last. What comes after it is dropped (RELAY L12). A stream that ends
// before is gone on with where the server keeps it (RELAY H8).
func (x *exchange) stream(ctx context.Context, resp *http.Response) *failure {
	var at position
	f := x.readEvents(ctx, resp, &at)
	for f != nil && f.event == eventCut && x.resumable(at) {
		f = x.resume(ctx, &at)
	}
	return f
}

// readEvents reads one stream. at follows it, for a later one to go on.
func (x *exchange) readEvents(ctx context.Context, resp *http.Response, at *position) (f *failure) {
	x.client.withEvents(resp.Body, at, func(events *eventReader) {
		events.strict = true // an event without end would keep the request for ever
		f = x.readStream(ctx, resp, events)
	})
	return f
}

// readStream hands over the messages of a stream up to the response. A bad event
// may have been the response, which shows when the stream ends without one.
func (x *exchange) readStream(ctx context.Context, resp *http.Response, events *eventReader) *failure {
	var bad *failure
	for {
		m, err := nextMessage(events)
		switch {
		case errors.Is(err, errTooLarge):
			return &failure{event: eventTooLarge, status: resp.StatusCode}
		case errors.Is(err, errMessage):
			bad = &failure{event: eventUnreadable, status: resp.StatusCode, err: err}
			continue
		case errors.Is(err, io.EOF) && bad != nil:
			return bad
		case errors.Is(err, io.EOF):
			return &failure{event: eventCut, err: errNoAnswer}
		case err != nil:
			return x.broken(ctx, err)
		}
		if m.Kind != jsonmsg.Response {
			x.deliver(m)
			continue
		}
		if m, ok := x.mine(m); ok {
			f := x.answered(ctx, m, resp)
			linger(resp)
			return f
		}
		x.client.log.LogAttrs(ctx, levelDropped, "dropped an answer that nobody asked for") // OAUTH X24
	}
}

// answered takes the response. What it settles with the server is in force
// before the host can send anything next.
func (x *exchange) answered(ctx context.Context, m jsonmsg.Message, resp *http.Response) *failure {
	c := x.client
	switch {
	case c.learnAnswer(x.msg, m) == codeMismatch && x.msg.Modern() && !x.own && x.resent[eventMismatch] == 0:
		return &failure{event: eventMismatch, status: resp.StatusCode}
	case m.IsError:
	case x.msg.Method == methodInitialize:
		id, err := sessionID(resp.Header)
		if err != nil {
			return &failure{event: eventUnreadable, status: resp.StatusCode, err: err}
		}
		c.watch(ctx, c.session.begin(id, m.Version, x.token, x.grant))
		if !x.own {
			c.session.heard(x.msg)
		}
	case x.msg.Method == methodTools:
		m = c.learnTools(ctx, x.msg, m)
	default:
		c.session.heard(x.msg)
	}
	x.deliver(m)
	return nil
}

// mine returns the response with the id of this request, if it is the answer to
// it: an error without an id can only be (RELAY F4).
func (x *exchange) mine(m jsonmsg.Message) (jsonmsg.Message, bool) {
	switch {
	case m.Kind != jsonmsg.Response:
		return m, false
	case m.NullID() && m.IsError:
		return m.WithID(x.msg.ID), true
	case m.NullID() || jsonmsg.Key(m.ID) != jsonmsg.Key(x.msg.ID):
		return m, false
	}
	return m, true
}

// deliver hands a message to the host's side.
func (x *exchange) deliver(m jsonmsg.Message) {
	x.heard = true
	x.idle.pause() // the host may take its time
	if x.hooks.Deliver != nil {
		x.hooks.Deliver(m)
	}
}

// readAll reads a whole body of at most limit bytes, counted after
// decompression. One of unknown length is piled up: a buffer that doubles would
// hold several times the limit at its peak (RELAY B10).
func (c *Client) readAll(resp *http.Response) (body []byte, err error) {
	limit := c.limits.Answer
	switch n := resp.ContentLength; {
	case n > int64(limit):
		return nil, errTooLarge
	case n >= 0 && n <= maxPrealloc:
		body = make([]byte, n)
		_, err = io.ReadFull(resp.Body, body)
	default:
		c.withBuffer(resp.Body, func(in *bufio.Reader) { body, err = pileUp(in, limit) })
	}
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return body, nil
}

func pileUp(in *bufio.Reader, limit int) ([]byte, error) {
	var pile jsonmsg.Pile
	for {
		_, err := in.Peek(1)
		part, _ := in.Peek(in.Buffered()) // what there is cannot fail
		if pile.Len()+len(part) > limit {
			pile.Drop()
			return nil, errTooLarge
		}
		pile.Add(part)
		_, _ = in.Discard(len(part))
		switch {
		case errors.Is(err, io.EOF):
			return pile.Bytes(), nil
		case err != nil:
			return nil, err
		}
	}
}

// linger reads a stream to its end, which should come now.
func linger(resp *http.Response) {
	t := time.AfterFunc(lingerLimit, func() { _ = resp.Body.Close() })
	defer t.Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody)
}

// discard reads what is left of a small body, so that the connection can be
// used again, and closes it.
func discard(resp *http.Response) {
	linger(resp)
	_ = resp.Body.Close()
}
