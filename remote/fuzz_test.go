package remote

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pieces is a reader that gives at most size bytes at a time.
type pieces struct {
	rest string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.rest == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// block is what stands between two blank lines of a stream.
type block struct {
	name, data string
	full       bool // there was a data line
	over       bool // there was a line that the limit has no room for
}

// blocks is the event stream algorithm of the standard (WHATWG HTML section
// 9.2.6), written for being read: the whole stream at once.
func blocks(stream string, limit int) (all []block, retry int) {
	stream, marked := strings.CutPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(stream, "\n")
	var b block
	for i, line := range lines[:len(lines)-1] { // the last line has no end
		length := len(line)
		if i == 0 && marked {
			length += len("\ufeff")
		}
		b.over = b.over || length+len(strings.TrimSuffix(b.data, "\n")) > limit+len("data: ")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			b.data = strings.TrimSuffix(b.data, "\n")
			all, b = append(all, b), block{}
		case field == "event":
			b.name = value
		case field == "data":
			b.data, b.full = b.data+value+"\n", true
		case field == "retry" && !b.over:
			if ms, err := strconv.ParseUint(value, 10, 31); err == nil {
				retry = int(ms)
			}
		}
	}
	return all, retry
}

// FuzzEvents holds the reader against the standard, whatever the sizes of the
// reads and of its buffer, and with a limit: an event over it is reported in its
// place, and no other is touched.
func FuzzEvents(f *testing.F) {
	for _, s := range []string{
		"data: {\"id\":1,\"result\":2}\n\n", "\ufeffdata:{\"method\":\"n\"}\r\rdata\r\n\r\n", "event: x\ndata: {}\n\n:c\nfoo\n", "data: {\ndata: \"id\":1,\rdata: \"result\":[]}\r\n\n",
		"data: " + strings.Repeat("x", 300) + "\n\ndata: y\n\n", ":" + strings.Repeat("x", 99) + "\n\ndata: y\n\n", "data: 1\n\n\ndata: " + strings.Repeat("x", 50) + "\ndata: z\ndata: " + strings.Repeat("x", 50) + "\r\rdata:\n\n",
		"retry: 99999999999999999999\nid\n\n", "retry: 10\nretry:+7\nretry: 1x\ndata\n\n", "data: a\ndata\ndata:  b\n\r\n\n\r", "\r\n\r\r\n\n", "\ufeff\ufeffdata: x\n\ndata: y",
	} {
		f.Add(s, uint8(1), uint8(0), uint16(40))
		f.Add(s, uint8(200), uint8(100), uint16(1000))
	}
	f.Fuzz(func(t *testing.T, stream string, size, buffer uint8, limit uint16) {
		want, retry := blocks(stream, int(limit))
		want = slices.DeleteFunc(want, func(b block) bool { return !b.full && !b.over })
		var at position
		r := newEventReader(bufio.NewReaderSize(&pieces{stream, int(size) + 1}, int(buffer)+16), int(limit), &at)
		for i := 0; ; i++ {
			e, err := r.next()
			if errors.Is(err, io.EOF) && i == len(want) {
				break
			}
			switch {
			case i >= len(want):
				t.Fatalf("%q: event %d is %q, %v; there are %d", stream, i, e.data, err, len(want))
			case want[i].over != errors.Is(err, errTooLarge), err != nil && !want[i].over:
				t.Fatalf("%q: event %d: %v, over the limit: %v", stream, i, err, want[i].over)
			case err == nil && (e.name != want[i].name || string(e.data) != want[i].data):
				t.Fatalf("%q: event %d is\n     %q %q\nwant %q %q", stream, i, e.name, e.data, want[i].name, want[i].data)
			case len(e.data) > int(limit)+len("data: "):
				t.Fatalf("%q: event %d has %d bytes", stream, i, len(e.data))
			}
		}
		if got := int(at.retry.Milliseconds()); got != retry {
			t.Fatalf("%q: retry %d, want %d", stream, got, retry)
		}
		if !fitsHeader(at.id) || len(at.id) > maxEventID {
			t.Fatalf("%q: the id %q goes into a header", stream, at.id)
		}
	})
}
