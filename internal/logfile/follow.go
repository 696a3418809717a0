package logfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// glance is how often a log that is followed is looked at.
const glance = 250 * time.Millisecond

// Follow hands out the last n lines of the log at path, and then each one that
// comes, also after a rotation, until ctx ends, which is its good end, or line
// fails. A log that is not there yet is waited for.
func Follow(ctx context.Context, path string, n int, line func(string) error) error {
	f := &follower{path: path, line: line}
	defer f.close()
	if err := f.begin(n); err != nil {
		return err
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if err := f.look(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// follower reads one log on and on.
type follower struct {
	path string
	line func(string) error

	at    *os.File // nil: there was none yet
	part  []byte   // of a line whose end was not there yet
	moved bool     // at was another's name the last time: it may have got a last line since
}

// begin hands out the last lines and goes to the end of the newest file.
func (f *follower) begin(n int) error {
	at, part, lines, err := tail(f.path, n)
	f.at, f.part = at, part
	if err != nil {
		return err
	}
	for _, l := range lines {
		if err := f.line(l); err != nil {
			return err
		}
	}
	return nil
}

// next goes on with the file at path; one that is not there is no error.
func (f *follower) next(path string) error {
	at, _, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f.close()
	f.at, f.part, f.moved = at, nil, false
	return nil
}

// look reads what has come, and follows a rotation.
func (f *follower) look() error {
	if f.at == nil {
		if err := f.next(f.path); err != nil || f.at == nil {
			return err
		}
	}
	if err := f.read(); err != nil {
		return err
	}
	now, _ := os.Lstat(f.path) // nil: rotated, and not begun anew yet
	was, err := f.at.Stat()
	switch {
	case err != nil:
		return doing("following", f.path, err)
	case now == nil || os.SameFile(was, now):
		return nil
	case !f.moved:
		f.moved = true // who opened it before the rotation may write a last time
		return nil
	}
	for _, path := range f.newer(was) {
		if err := f.next(path); err != nil {
			return err
		}
		if err := f.read(); err != nil {
			return err
		}
	}
	return nil
}

// newer lists the files that came after the one that was read, the oldest first. If
// that one is gone, they are those that were written to later.
func (f *follower) newer(was fs.FileInfo) []string {
	paths := []string{f.path}
	for n := 1; n <= kept; n++ {
		path := rotated(f.path, n)
		info, err := os.Lstat(path)
		if err != nil || os.SameFile(was, info) || info.ModTime().Before(was.ModTime()) {
			break
		}
		paths = append([]string{path}, paths...)
	}
	return paths
}

// read hands out the whole lines up to the end of the file.
func (f *follower) read() error {
	content, err := io.ReadAll(f.at)
	if err != nil {
		return doing("reading", f.path, err)
	}
	f.part = append(f.part, content...)
	for {
		i := bytes.IndexByte(f.part, '\n')
		if i < 0 {
			return nil
		}
		text := strings.TrimSuffix(string(f.part[:i]), "\r")
		f.part = f.part[i+1:]
		if text == "" {
			continue
		}
		if err := f.line(text); err != nil {
			return err
		}
	}
}

func (f *follower) close() {
	if f.at != nil {
		_ = f.at.Close()
	}
}
