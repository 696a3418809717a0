package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// Tail returns the last n lines of the log at path, which Path gave, the oldest
// first; older files are read as well, if they are needed. There may be fewer, or
// none when nothing was logged yet: that is no error. Lines are as they were
// written, so for a terminal they still have to be made printable.
func Tail(path string, n int) ([]string, error) {
	at, _, lines, err := tail(path, n)
	if at != nil {
		_ = at.Close()
	}
	return lines, err
}

// tail also returns the newest file, read to its end, and what of a line stands
// there; nil when there is none.
func tail(path string, n int) (at *os.File, part []byte, lines []string, err error) {
	at, newest, err := open(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil, err
	}
	if at != nil {
		content, err := io.ReadAll(at)
		if err != nil {
			return at, nil, nil, doing("reading", path, err)
		}
		whole := bytes.LastIndexByte(content, '\n') + 1
		part, lines = content[whole:], last(content[:whole], n)
	}
	for i := 1; i <= kept && len(lines) < n; i++ {
		older, err := readOlder(rotated(path, i), newest)
		if err != nil {
			return at, nil, nil, err
		}
		lines = slices.Concat(last(older, n-len(lines)), lines)
	}
	return at, part, lines, nil
}

// readOlder reads an older file, unless it is the one that was the newest before
// somebody rotated it.
func readOlder(path string, newest fs.FileInfo) ([]byte, error) {
	f, info, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if newest != nil && os.SameFile(newest, info) {
		return nil, nil
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, doing("reading", path, err)
	}
	return content, nil
}

// open opens one file of the log for reading, if it is ours alone.
func open(path string) (*os.File, fs.FileInfo, error) {
	if err := privatefile.CheckFile(path); err != nil {
		return nil, nil, err
	}
	f, err := openRead(path)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the log: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() { // it may be another one by now
		err = privatefile.Unsafe(path, "is not a regular file", "remove it")
	}
	if err == nil {
		err = privatefile.CheckOwner(path, info)
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// last returns the last n lines of content. Empty ones, which a writing that
// broke off may leave, count for nothing.
func last(content []byte, n int) []string {
	var lines []string
	for line := range strings.SplitSeq(string(content), "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-n):]
}
