package bridge

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
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

// FuzzLines checks that no line of the host is lost, whatever the sizes of the
// reads and of the buffer, and that one over the limit costs nothing but itself
// and gives up its id (RELAY B4).
func FuzzLines(f *testing.F) {
	for _, s := range []string{
		"", "\n", "{\"id\":1,\"method\":\"x\"}\n", "\r\n\n {\"method\":\"n\"} \r\n{\"id\":2,\"result\":1}", "[]\n{\"id\":3,\"method\":\"y\"}\n\n",
		"{\"id\":4,\"method\":\"z\",\"params\":\"" + strings.Repeat("x", 100) + "\"}\n{\"id\":5,\"method\":\"y\"}\n", "{\"id\":6,\"method\":\"" + strings.Repeat("x", 100) + "\"}", strings.Repeat("x", 32) + "\n" + strings.Repeat("y", 31) + "\n\x00\xff",
	} {
		f.Add(s, uint8(0), uint8(0), uint16(31))
		f.Add(s, uint8(99), uint8(20), uint16(500))
	}
	f.Fuzz(func(t *testing.T, input string, size, buffer uint8, limit uint16) {
		r := &lineReader{in: bufio.NewReaderSize(&pieces{input, int(size) + 1}, int(buffer)+16), max: int(limit)}
		for n, want := range strings.SplitAfter(input, "\n") {
			if want == "" {
				break // the end of the input, after a line break
			}
			line, m, err := r.next()
			switch {
			case len(want) <= int(limit) && (err != nil || string(line) != strings.Trim(want, " \t\r\n")):
				t.Fatalf("%q, line %d: got %q, %v", input, n, line, err)
			case len(want) > int(limit) && (!errors.Is(err, errLong) || string(m.ID) != string(jsonmsg.Skim([]byte(want)).ID)):
				t.Fatalf("%q, line %d: skipped with id %q, %v", input, n, m.ID, err)
			}
		}
		if line, _, err := r.next(); !errors.Is(err, io.EOF) || len(line) != 0 {
			t.Fatalf("%q: %q after the end, %v", input, line, err)
		}
	})
}
