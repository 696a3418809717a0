package remote

import (
	"bytes"
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
	errNoAnswer  = errors.New("it ended without an answer")
	errTooLarge  = errors.New("over the size limit")
	errOtherID   = errors.New("the answer is not to this request")
	errMediaType = errors.New("neither JSON nor an event stream; a network that wants a sign-in of its own answers so")
)

// receive takes the answer to a POST.
func (x *exchange) receive(ctx context.Context, resp *http.Response) *Error {
	status := resp.StatusCode
	switch {
	case status >= 300:
		return x.refused(resp)
	case x.msg.Kind != jsonmsg.Request:
		discard(resp)
		return nil
	}
	if x.msg.Method == methodInitialize {
		if err := x.client.session.begin(resp.Header); err != nil {
			return x.failed(eventUnreadable, status, err)
		}
	}
	switch mediaType(resp.Header) {
	case mediaJSON:
		return x.single(ctx, resp)
	case mediaEvents:
		return x.stream(ctx, resp)
	}
	if status == http.StatusOK {
		return x.failed(eventPage, status, errMediaType)
	}
	return x.failed(eventUnreadable, status, errNoAnswer)
}

// single takes an answer of one JSON body.
func (x *exchange) single(ctx context.Context, resp *http.Response) *Error {
	body, err := readAll(resp, x.client.limits.Answer)
	if errors.Is(err, errTooLarge) {
		return x.failed(eventTooLarge, resp.StatusCode, nil)
	}
	if err != nil {
		return x.broken(ctx, err)
	}
	m, err := jsonmsg.Scan(jsonmsg.Compact(body))
	if err != nil {
		return x.failed(eventUnreadable, resp.StatusCode, err)
	}
	m, ok := x.own(m)
	if !ok {
		return x.failed(eventUnreadable, resp.StatusCode, errOtherID)
	}
	x.deliver(m)
	return nil
}

// stream takes an answer of server-sent events: other messages first, the
// response last. What comes after it is dropped (RELAY L12).
func (x *exchange) stream(ctx context.Context, resp *http.Response) (e *Error) {
	x.client.withEvents(resp.Body, func(events *eventReader) { e = x.readStream(ctx, resp, events) })
	return e
}

func (x *exchange) readStream(ctx context.Context, resp *http.Response, events *eventReader) *Error {
	for {
		m, err := nextMessage(events)
		switch {
		case errors.Is(err, errTooLarge):
			return x.failed(eventTooLarge, resp.StatusCode, nil)
		case errors.Is(err, errMessage):
			return x.failed(eventUnreadable, resp.StatusCode, err)
		case errors.Is(err, io.EOF):
			return x.failed(eventCut, 0, errNoAnswer)
		case err != nil:
			return x.broken(ctx, err)
		}
		if m.Kind != jsonmsg.Response {
			x.deliver(m)
			continue
		}
		if m, ok := x.own(m); ok {
			x.deliver(m)
			linger(resp)
			return nil
		}
		x.client.log.LogAttrs(ctx, levelDropped, "dropped an answer that nobody asked for") // OAUTH X24
	}
}

// own returns the response with the id of this request, if it is the answer to
// it: an error without an id can only be (RELAY F4).
func (x *exchange) own(m jsonmsg.Message) (jsonmsg.Message, bool) {
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

// deliver hands a message to the host's side. The version of an
// InitializeResult is known before anything the host sends next.
func (x *exchange) deliver(m jsonmsg.Message) {
	if x.msg.Method == methodInitialize && m.Kind == jsonmsg.Response && !m.IsError {
		x.client.session.agree(m.Version)
	}
	if x.hooks.Deliver != nil {
		x.hooks.Deliver(m)
	}
}

// readAll reads a whole body of at most limit bytes, counted after
// decompression.
func readAll(resp *http.Response, limit int) ([]byte, error) {
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= int64(limit) {
		b.Grow(int(min(n, maxPrealloc)) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(resp.Body, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if n > int64(limit) {
		return nil, errTooLarge
	}
	return b.Bytes(), nil
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
