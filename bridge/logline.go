package bridge

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/remote"
)

// The log has one line for each request of the host (HOSTS C7): what it was, how
// large, how it ended, and what PayU's support can find it by. Never what was
// asked or answered.

// entry is what a line says that only the end of a flight knows. It is the
// flight's mu that guards it.
type entry struct {
	began     time.Time
	took      time.Duration
	outcome   string // of the words below, or the kind of our error
	code      int    // of the server's error
	size      int    // of the answer, in bytes
	status    int    // HTTP status of the last try; 0: there was none
	requestID string // X-Request-ID of it
	err       error  // ours; without the words of others, as in every log
	tries     int
}

// How a request ended, if not with an error of ours.
const (
	endedWell      = "ok"
	endedBadly     = "error"     // the server's own
	endedHere      = "local"     // answered without the server
	endedTold      = "told"      // a call: in words, what keeps it from being carried out
	endedCancelled = "cancelled" // by the host
)

// head notes that the server has begun to answer a try.
func (f *flight) head(status int, requestID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entry.status, f.entry.requestID = status, requestID
	f.entry.tries++
	f.account.taken = f.account.taken || status < statusRefused
}

// ends notes how a flight has ended.
func (f *flight) ends(outcome string, code, size int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entry.outcome, f.entry.code, f.entry.size, f.entry.took = outcome, code, size, time.Since(f.entry.began)
}

// endsWith notes an answer of the server's.
func (f *flight) endsWith(m jsonmsg.Message) {
	outcome := endedWell
	if m.IsError {
		outcome = endedBadly
	}
	f.ends(outcome, m.ErrorCode(), len(m.Raw))
}

// fails notes an error of ours.
func (f *flight) fails(err error, size int) {
	kind := kindInternal
	if e, ok := errors.AsType[*remote.Error](err); ok {
		kind = string(e.Kind)
		if e.Status != 0 || e.RequestID != "" {
			f.head(e.Status, e.RequestID)
		}
	}
	f.ends(kind, 0, size)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entry.err = err
}

// record writes the line of a flight that is over.
func (b *bridge) record(f *flight) {
	if !b.log.Enabled(b.ctx, slog.LevelInfo) {
		return
	}
	f.mu.Lock()
	e := f.entry
	if f.cancelled && e.outcome == "" {
		e.outcome, e.took = endedCancelled, time.Since(e.began)
	}
	f.mu.Unlock()
	line := make([]slog.Attr, 0, 13)
	line = append(line, slog.String("method", printable.Word(f.msg.Method)), slog.String("id", idWord(f.msg.ID)))
	if f.msg.Method == methodCall {
		line = append(line, slog.String("tool", printable.Word(f.sending().Name)))
	}
	line = append(line, slog.String("outcome", e.outcome), slog.Int("in", len(f.msg.Raw)), slog.Int("out", e.size),
		slog.String("ms", millis(e.took)))
	if e.code != 0 {
		line = append(line, slog.Int("code", e.code))
	}
	if e.tries > 0 {
		line = append(line, slog.Int("status", e.status), slog.String("request_id", e.requestID))
	}
	if e.tries > 1 {
		line = append(line, slog.Int("tries", e.tries))
	}
	if e.err != nil {
		line = append(line, slog.Any("error", e.err))
	}
	b.log.LogAttrs(b.ctx, slog.LevelInfo, "request", line...)
}

// millis is d in milliseconds, to a tenth. Formatting a float makes the stack of
// each request's goroutine grow, which takes as long as all else about the line.
func millis(d time.Duration) string {
	tenths := int(d.Microseconds()) / 100
	return strconv.Itoa(tenths/10) + "." + strconv.Itoa(tenths%10)
}

// idWord is the id of a request, if it looks like one.
func idWord(id []byte) string { return printable.Word(strings.Trim(string(id), `"`)) }
