package bridge

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// maxLine is how long a line of the host may be (RELAY B4).
const maxLine = 64 << 20

// errLong says that a line was skipped.
var errLong = errors.New("the message is longer than 64 MiB")

// lineReader reads lines of bounded length.
type lineReader struct {
	in  *bufio.Reader
	max int
}

func newLineReader(in io.Reader, limit int) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, 64<<10), max: limit}
}

// next returns the next line without the white space around it. Of a line that
// is too long only what answers it is kept: errLong, and a message that has the
// ID if it was a request. The last line may lack its newline.
func (r *lineReader) next() (line []byte, skipped jsonmsg.Message, err error) {
	var pile jsonmsg.Pile
	for {
		part, err := r.in.ReadSlice('\n')
		if pile.Len()+len(part) > r.max {
			return nil, r.skip(&pile, part, err), errLong // the next read tells how it ended
		}
		pile.Add(part)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && pile.Len() == 0:
			return nil, skipped, err
		default: // the end of the line, or of the input: the next read tells
			return bytes.Trim(pile.Bytes(), " \t\r\n"), skipped, nil
		}
	}
}

// skip reads to the end of a line, or of the input, of which pile and part are
// known already.
func (r *lineReader) skip(pile *jsonmsg.Pile, part []byte, err error) jsonmsg.Message {
	var s jsonmsg.Skimmer
	pile.Each(func(block []byte) { _, _ = s.Write(block) })
	_, _ = s.Write(part)
	pile.Drop()
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = r.in.ReadSlice('\n')
		_, _ = s.Write(part)
	}
	return s.Found()
}

// read takes the host's lines until there are no more. A bad line is answered
// and costs nothing else (RELAY section 3).
func (b *bridge) read(in io.Reader) {
	lines := newLineReader(in, maxLine)
	for {
		line, m, err := lines.next()
		switch {
		case errors.Is(err, errLong) && m.ID == nil:
			b.log.LogAttrs(b.ctx, slog.LevelWarn, "skipped a message of the host", slog.Any("error", err))
			continue
		case errors.Is(err, errLong):
			b.reject(m, jsonmsg.CodeInvalid, err)
			continue
		case err != nil:
			if !errors.Is(err, io.EOF) {
				b.log.LogAttrs(b.ctx, slog.LevelWarn, "reading from the host ended", slog.Any("error", err))
			}
			return
		case len(line) == 0:
			continue
		}
		if m, err = jsonmsg.Scan(line); err != nil {
			b.reject(m, jsonmsg.Code(err), err)
			continue
		}
		b.route(m)
	}
}
