package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Content is what one file of lines holds.
type Content struct {
	Lines []byte // whole lines; of the newest one the end may be missing
	Cut   bool   // there is more than a File can have written: only the end was read
}

// Contents reads the rotated files and the newest one, the oldest first; missing
// ones count for nothing. Nothing that stands there when it is called is left out
// because of a rotation meanwhile. What others may have written or can read is an
// error.
func (l *File) Contents() ([]Content, error) {
	var all []Content
	var seen []fs.FileInfo
	// The newest first: what is rotated meanwhile is met once more, and not missed.
	for n := range l.Kept + 1 {
		path := l.Path
		if n > 0 {
			path = rotated(l.Path, n)
		}
		c, info, err := l.content(path, seen)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && info == nil:
		case err != nil:
			return nil, err
		default:
			all, seen = append(all, c), append(seen, info)
		}
	}
	slices.Reverse(all)
	return all, nil
}

// content reads one of them, unless it has been seen under another name.
func (l *File) content(path string, seen []fs.FileInfo) (Content, fs.FileInfo, error) {
	f, info, err := open(path)
	if err != nil {
		return Content{}, nil, err
	}
	defer f.Close()
	if slices.ContainsFunc(seen, func(s fs.FileInfo) bool { return os.SameFile(s, info) }) {
		return Content{}, nil, nil
	}
	c, err := readEnd(f, info.Size(), (tooMuch+1)*l.Max)
	if err != nil {
		return c, nil, doing("reading", path, bare(err))
	}
	return c, info, nil
}

// readEnd reads a file of a size, but no more than most.
func readEnd(f *os.File, size, most int64) (c Content, err error) {
	if c.Cut = size > most; c.Cut {
		if _, err = f.Seek(size-most, io.SeekStart); err != nil {
			return c, fmt.Errorf("going to its end: %w", err)
		}
	}
	c.Lines, err = io.ReadAll(io.LimitReader(f, most))
	if c.Cut {
		_, c.Lines, _ = bytes.Cut(c.Lines, []byte("\n")) // the first one has no beginning
	}
	return c, err
}
