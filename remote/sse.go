package remote

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// serverEvent is one dispatched event (WHATWG HTML section 9.2.6).
type serverEvent struct {
	name string // event; "" means "message"
	data []byte // the data lines, joined by line feeds
	full bool   // there was a data line
}

// eventReader reads server-sent events. Lines may end in CR, LF or CRLF; a lone
// CR ends its line at once, without waiting for what follows (RELAY H19). An
// event that the stream ends in the middle of is not dispatched.
type eventReader struct {
	in      *bufio.Reader
	limit   int          // bytes of data of one event
	at      *position    // follows the stream: last event, reconnection time
	id      string       // the id of the event being read, or of the one before
	line    []byte       // the line being read
	pile    jsonmsg.Pile // what has come of it
	strict  bool         // an event over the limit ends the reading
	begun   bool         // past the first line, where a BOM may stand
	afterCR bool         // the last line ended in CR: an LF would belong to it
}

func newEventReader(in *bufio.Reader, limit int, at *position) *eventReader {
	return &eventReader{in: in, limit: limit, at: at, id: at.id}
}

// streamBuffer is the size of what one read of a stream may bring.
const streamBuffer = 32 << 10

// withEvents reads a stream of events, from the position it was left at.
func (c *Client) withEvents(body io.Reader, at *position, read func(*eventReader)) {
	c.withBuffer(body, func(in *bufio.Reader) { read(newEventReader(in, c.limits.Answer, at)) })
}

// withBuffer reads a body through a buffer that others use before and after: at
// one a call they would be most of what is allocated.
func (c *Client) withBuffer(body io.Reader, read func(*bufio.Reader)) {
	in, ok := c.buffers.Get().(*bufio.Reader)
	if !ok {
		in = bufio.NewReaderSize(nil, streamBuffer)
	}
	in.Reset(body)
	defer func() {
		in.Reset(nil)
		c.buffers.Put(in)
	}()
	read(in)
}

// next returns the next event with data. errTooLarge: an event over the limit
// was skipped, and next may be called again, unless the reader is strict: then
// the rest of the event is not waited for. Other errors end the stream;
// io.EOF is its proper end.
func (r *eventReader) next() (serverEvent, error) {
	var e serverEvent
	over := false
	for {
		long, err := r.readLine(r.limit - len(e.data) + len("data: "))
		if err != nil {
			return serverEvent{}, err
		}
		switch {
		case long && r.strict:
			return serverEvent{}, errTooLarge
		case long:
			over, e = true, serverEvent{}
			continue
		case len(r.line) > 0:
			if !over {
				r.field(&e)
			}
			continue
		}
		r.at.id = r.id // an event without data brings the stream on too
		switch {
		case over:
			return serverEvent{}, errTooLarge
		case e.full:
			return e, nil
		default:
			e = serverEvent{}
		}
	}
}

// field takes one line: a comment, a field, or a field without a colon.
func (r *eventReader) field(e *serverEvent) {
	name, value, _ := bytes.Cut(r.line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "event":
		e.name = string(value)
	case "retry":
		if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
			r.at.retry = time.Duration(ms) * time.Millisecond
		}
	case "id":
		// One that fits in no header is as good as none.
		if r.id = string(value); len(r.id) > maxEventID || !fitsHeader(r.id) {
			r.id = ""
		}
	case "data":
		if e.full {
			e.data = append(append(e.data, '\n'), value...)
			return
		}
		// The common case, one long line, keeps its bytes where they are.
		e.data, e.full, r.pile = value, true, jsonmsg.Pile{}
	}
}

// readLine reads the next line, without its ending, into r.line. A line longer
// than room is skipped and reported as long.
func (r *eventReader) readLine(room int) (long bool, err error) {
	r.pile.Reset()
	for {
		chunk, ended, err := r.chunk()
		switch {
		case err != nil:
			return false, err
		case long:
		case r.pile.Len()+len(chunk) > room:
			long = true
			r.pile.Drop()
		default:
			r.pile.Add(chunk)
		}
		if ended || long && r.strict {
			break
		}
	}
	r.line = r.pile.Bytes()
	if !r.begun {
		r.begun = true
		r.line = bytes.TrimPrefix(r.line, []byte("\ufeff"))
	}
	return long, nil
}

// chunk returns what has arrived of the current line, and whether it ends
// there. It is valid until the next call.
func (r *eventReader) chunk() (part []byte, ended bool, err error) {
	if _, err := r.in.Peek(1); err != nil {
		return nil, false, err
	}
	b, err := r.in.Peek(r.in.Buffered())
	if err != nil {
		return nil, false, err
	}
	if r.afterCR && b[0] == '\n' {
		r.afterCR = false
		_, err = r.in.Discard(1)
		return nil, false, err
	}
	r.afterCR = false
	end := lineEnd(b)
	if end < 0 {
		_, err = r.in.Discard(len(b))
		return b, false, err
	}
	r.afterCR = b[end] == '\r'
	_, err = r.in.Discard(end + 1)
	return b[:end], true, err
}

// lineEnd returns where the first CR or LF stands, -1 if there is none.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}
