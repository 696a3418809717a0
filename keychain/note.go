package keychain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// The note lies in the lock file: at a fixed place, of a fixed size, written once
// with blanks, so that on a full disk it only overwrites blocks that are there. It
// starts behind byte 0, which is what LockFileEx locks against everybody's reads
// on Windows.
const (
	noteOffset = 64
	noteSize   = 448
)

// readNote returns what the lock file tells; nothing when it cannot be read.
func readNote(path string) Note {
	var n Note
	f, err := privatefile.Open(path)
	if err != nil {
		return Note{}
	}
	defer f.Close()
	b := make([]byte, noteSize)
	got, err := f.ReadAt(b, noteOffset)
	if err != nil && err != io.EOF { //nolint:errorlint // io.EOF is never wrapped by ReadAt
		return Note{}
	}
	if json.Unmarshal(bytes.Trim(b[:got], " \x00\n"), &n) != nil {
		return Note{}
	}
	return n
}

// write replaces the note. Only the holder of the lock calls it. With durable it
// outlasts the computer's fall, not only the process's.
func (l *fileLock) write(n Note, durable bool) error {
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encoding the note: %w", err)
	}
	if len(text) >= noteSize {
		return fmt.Errorf("the note is too long: %d bytes", len(text))
	}
	b := bytes.Repeat([]byte{' '}, noteSize)
	copy(b, text)
	b[noteSize-1] = '\n'
	f, err := os.OpenFile(l.path, os.O_WRONLY|noFollow, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(b, noteOffset); err != nil {
		return err
	}
	if !durable {
		return nil
	}
	return f.Sync()
}

// begin marks that the record is being changed. It does not wait for the disk: a
// killed process leaves the mark behind all the same. A note that says more
// stays.
func (l *fileLock) begin() {
	if n := readNote(l.path); n == (Note{}) || n.Cut {
		// A help for people, as tell.
		_ = l.write(Note{Changing: true, Cut: n.Cut, Since: l.now().Round(0).UTC(), PID: os.Getpid()}, false)
	}
}

// end takes the mark away.
func (l *fileLock) end() {
	if n := readNote(l.path); n.Changing {
		next := Note{}
		if n.Cut {
			next = Note{Cut: true, Since: n.Since, PID: n.PID}
		}
		_ = l.write(next, false)
	}
}

// settleNote runs when the lock was just taken. It makes room for a note, and
// turns one of a process that died before it could save into Lost: its lock is
// ours, so it is gone.
func (l *fileLock) settleNote(ctx context.Context) {
	info, err := os.Lstat(l.path)
	if err != nil {
		return
	}
	n := readNote(l.path)
	switch {
	case info.Size() < noteOffset+noteSize:
		n = Note{}
	case n.Unsaved:
		n.Unsaved, n.Lost = false, true
		l.log.WarnContext(ctx, "a newer login was lost: its process ended before it could save it",
			slog.String("reason", n.Reason), slog.Int("pid", n.PID))
	case n.Changing:
		n.Changing, n.Cut = false, true
		l.log.WarnContext(ctx, "a payu-mcp was killed while it changed the login; if the server ends the login now, that is why",
			slog.Int("pid", n.PID))
	default:
		return
	}
	l.tell(ctx, n)
}

// tell writes the note as well as it can: it is a help for people, and no reason
// to fail.
func (l *fileLock) tell(ctx context.Context, n Note) {
	if err := l.write(n, true); err != nil {
		l.log.DebugContext(ctx, "the note of the lock file cannot be written", slog.String("reason", atomicfile.Reason(err)))
	}
}
