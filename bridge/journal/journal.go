package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/logfile"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

const (
	folder = "journal"
	suffix = ".jsonl"

	// maxSize is where a file is rotated, in bytes: about a thousand calls.
	maxSize = 512 << 10
	// kept is how many rotated files there are besides the one that is written.
	kept = 9

	// beginLimit is how long a call waits for the disk. It is not sent after that.
	beginLimit = 10 * time.Second
	// endLimit is how long an answer is held up for its line: what the host has
	// heard, the journal knows.
	endLimit = time.Second
	// retryPause is how long it takes until ends that could not be written are
	// tried again.
	retryPause = 5 * time.Second
	// maxOwed is how many bytes of them are kept; the entries of the rest stay
	// without an end, so of unknown outcome.
	maxOwed = 64 << 10
)

var (
	errClosed = errors.New("payu-mcp is closing")
	errHangs  = errors.New("the disk does not answer")
)

// Path returns where the journal of a profile is, or would be. Beside it are older
// ones, the numbers counting backwards, and the locks of the processes that write.
func Path(stateDir, profile string) string {
	return filepath.Join(stateDir, folder, profile+suffix)
}

// Profiles lists the profiles that have a journal, also those that nobody is signed
// in with any more.
func Profiles(stateDir string) []string {
	files, err := os.ReadDir(filepath.Join(stateDir, folder))
	if err != nil {
		return nil // none has
	}
	var names []string
	for _, f := range files {
		if name, is := strings.CutSuffix(f.Name(), suffix); is && !strings.Contains(name, ".") { // else an older one
			names = append(names, name)
		}
	}
	return names
}

func fileOf(stateDir, profile string) *logfile.File {
	return &logfile.File{Path: Path(stateDir, profile), Max: maxSize, Kept: kept}
}

// Journal is written to by one process. It is safe for concurrent use. While no
// call comes it costs nothing, and nothing is opened before the first one.
type Journal struct {
	log   *slog.Logger
	file  *logfile.File                          // for the one who writes
	store func(lines []byte, durable bool) error // append, but for tests
	runs  runs
	run   string

	release func() // of the lock of this run; nil: it is not held yet; for the one who writes
	failing bool   // the last writing failed; for the one who writes

	mu     sync.Mutex
	names  names
	next   *batch // what the next writing takes; nil: nothing waits
	busy   bool   // somebody writes
	owed   []byte // ends that could not be written
	retry  *time.Timer
	closed bool
}

// batch is what is written, and synced, at once.
type batch struct {
	begins, ends []byte
	done         chan struct{}
	err          error // once done is closed
}

// Open returns the journal of a profile. log hears when it cannot be written; it
// must not wait.
func Open(stateDir, profile string, log *slog.Logger) *Journal {
	f := fileOf(stateDir, profile)
	j := &Journal{log: log, file: f, runs: runs{filepath.Dir(f.Path), profile}, run: newRun(), names: newNames()}
	j.store = j.append
	return j
}

// Begin makes an entry for a call that is about to be sent, and returns its id
// when it is on the disk: then a process that is killed leaves it there. After an
// error, which says what helps, the call must not be sent; no entry is left. It
// waits for 10 s at most.
func (j *Journal) Begin(ctx context.Context, c Call) (id string, err error) {
	j.mu.Lock()
	id = j.names.next()
	j.mu.Unlock()
	r := record{Event: begun, ID: id, Tool: c.Tool, InvoiceNumber: c.InvoiceNumber, RequestID: c.RequestID}
	if err := j.durably(ctx, r); err != nil {
		j.write(record{Event: ended, ID: id, Outcome: NotSent}) // some of it may be there
		return "", err
	}
	return id, nil
}

// Again notes that a call is about to be sent once more, as Begin does.
func (j *Journal) Again(ctx context.Context, id, requestID string) error {
	return j.durably(ctx, record{Event: again, ID: id, RequestID: requestID})
}

// End notes what became of a call. If it cannot be written now it is tried again;
// a process that is killed before leaves an entry of unknown outcome.
func (j *Journal) End(id string, o Outcome) {
	b := j.write(record{Event: ended, ID: id, Outcome: o})
	limit := time.NewTimer(endLimit)
	defer limit.Stop()
	select {
	case <-b.done:
	case <-limit.C:
	}
}

// Close writes what is still owed, for at most limit, and lets the lock go.
func (j *Journal) Close(limit time.Duration) {
	j.mu.Lock()
	j.closed = true
	if j.retry != nil {
		j.retry.Stop()
	}
	idle := !j.busy && j.next == nil && len(j.owed) == 0
	j.mu.Unlock()
	if !idle {
		t := time.NewTimer(limit)
		defer t.Stop()
		select {
		case <-j.add(nil, nil).done:
		case <-t.C:
			return // the one who writes has the lock: the system frees it
		}
	}
	if j.release != nil {
		j.release()
	}
}

// durably writes a record and waits until it is on the disk.
func (j *Journal) durably(ctx context.Context, r record) error {
	line, err := j.stamp(r)
	if err != nil {
		return err
	}
	j.mu.Lock()
	closed := j.closed
	j.mu.Unlock()
	if closed {
		return errClosed
	}
	b := j.add(line, nil)
	limit := time.NewTimer(beginLimit)
	defer limit.Stop()
	select {
	case <-b.done:
		return trouble(b.err)
	case <-limit.C:
		return trouble(errHangs)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write writes a record without waiting.
func (j *Journal) write(r record) *batch {
	line, err := j.stamp(r)
	if err != nil {
		j.log.Warn("a line of the journal is lost", slog.Any("error", err))
	}
	return j.add(nil, line)
}

func (j *Journal) stamp(r record) ([]byte, error) {
	r.Run, r.At = j.run, time.Now()
	return r.line()
}

// trouble says why a call cannot be noted, and what helps.
func trouble(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, privatefile.ErrUnsafe):
		return err
	case errors.Is(err, errHangs):
		return hint.With(err, hintRoom)
	}
	return hint.With(fmt.Errorf("%s: %w", atomicfile.Reason(err), err), hintRoom)
}

const hintRoom = "make room on the disk and make the state folder writable; to go on without a journal, give --no-journal"
