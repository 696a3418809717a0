package logfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// maxWaiting is how many bytes of lines may wait for the disk. More are dropped
// and counted.
const maxWaiting = 256 << 10

// pause is how long lines wait for others to be written with. Written at once,
// they took the processor from the very request that they are about (measured: a
// third of the time of a call on two busy cores).
const pause = 100 * time.Millisecond

// Writer takes lines and writes them a moment later, many at once if many come. It
// is safe for concurrent use. While nothing comes it costs nothing: there is no
// goroutine of its own.
type Writer struct {
	write   func(lines []byte) error
	trouble func(error)
	failing bool // the last writing failed; for the one who writes

	hurry chan struct{} // has an item when nothing shall wait for others

	mu      sync.Mutex
	waiting []byte
	spare   []byte        // what waited before, to be filled again
	lost    int           // lines that were dropped or not written, and not told of
	busy    chan struct{} // closed when the one who writes stops; nil: nobody writes
	closed  bool
}

// Open returns the writer of the rotated log at path, which Path gave. Folder and
// file are made when there is something to write. What keeps lines from being
// written (a full disk, a file of somebody else's in its place) is told to
// trouble, once each time that it begins; it must not wait. Nil: nobody.
func Open(path string, trouble func(error)) *Writer {
	f := &File{Path: path, Max: maxSize, Kept: kept}
	return New(func(lines []byte) error { return f.Append(lines, false) }, trouble)
}

// To returns a writer to w, which is not rotated.
func To(w io.Writer, trouble func(error)) *Writer {
	return New(func(lines []byte) error { _, err := w.Write(lines); return err }, trouble)
}

// New returns a writer that hands write one or more whole lines at a time, never
// two at once.
func New(write func(lines []byte) error, trouble func(error)) *Writer {
	if trouble == nil {
		trouble = func(error) {}
	}
	return &Writer{write: write, trouble: trouble, hurry: make(chan struct{}, 1)}
}

// Write takes one line, which ends with a newline. It waits for nothing and never
// fails: nobody's request is worth less than a line of the log.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.waiting)+len(line) > maxWaiting {
		w.lost++
		return len(line), nil
	}
	w.waiting = append(w.waiting, line...)
	if len(w.waiting) > maxWaiting/2 {
		w.hasten()
	}
	if w.busy == nil {
		w.busy = make(chan struct{})
		go w.drain()
	}
	return len(line), nil
}

// hasten makes the one who writes wait no longer.
func (w *Writer) hasten() {
	select {
	case w.hurry <- struct{}{}:
	default:
	}
}

// drain writes what waits until nothing does.
func (w *Writer) drain() {
	t := time.NewTimer(pause)
	defer t.Stop()
	for more := true; more; t.Reset(pause) {
		select {
		case <-t.C:
		case <-w.hurry:
		}
		lines, lost := w.next()
		count := bytes.Count(lines, []byte("\n"))
		if lost > 0 {
			lines = append(lines, lostLine(lost)...)
		}
		err := w.write(lines)
		if err != nil {
			w.lose(lost + count)
		}
		if err != nil && !w.failing {
			w.trouble(err)
		}
		w.failing = err != nil
		more = w.goOn(lines)
	}
}

// next takes what waits.
func (w *Writer) next() (lines []byte, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines, lost = w.waiting, w.lost
	w.waiting, w.spare, w.lost = w.spare[:0], nil, 0
	return lines, lost
}

func (w *Writer) lose(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost += n
}

// goOn reports whether more has come while lines were written; if not, the caller
// has to stop. The memory of a few lines is kept for the next ones.
func (w *Writer) goOn(lines []byte) bool {
	const most = 16 << 10
	w.mu.Lock()
	defer w.mu.Unlock()
	if cap(lines) <= most {
		w.spare = lines
	}
	if len(w.waiting) > 0 {
		return true
	}
	close(w.busy)
	w.busy = nil
	return false
}

// lostLine stands in the log where lines are missing.
func lostLine(n int) []byte {
	return fmt.Appendf(nil, "time=%s level=WARN msg=\"lines of this log were dropped\" pid=%d lines=%d\n",
		time.Now().Format(timeFormat), os.Getpid(), n)
}

// timeFormat is slog's.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// Close writes what waits, for at most limit, and takes nothing more.
func (w *Writer) Close(limit time.Duration) {
	w.mu.Lock()
	w.closed = true
	w.hasten()
	busy := w.busy
	w.mu.Unlock()
	if busy == nil {
		return
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-busy:
	case <-t.C:
	}
}
