package logfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

const (
	privateFile   fs.FileMode = 0o600
	privateFolder fs.FileMode = 0o700

	// tooMuch times max is where a file that cannot be rotated takes no more.
	tooMuch = 4
)

var errFull = errors.New("it cannot be rotated and is full")

// file is the log that several processes append to. It is opened for each
// writing: then a rotation by another process, which may be anywhere in between,
// leads nobody to the old file for long, and an idle bridge holds nothing open.
type file struct {
	path string
	max  int64
	safe bool // the folders are ours alone
	torn bool // the last writing broke off, perhaps within a line
}

// append writes whole lines in one go, which the system does not mix with those
// of other processes.
func (l *file) append(lines []byte) error {
	f, size, err := l.open()
	if err == nil && size > 0 && size+int64(len(lines)) > l.max {
		_ = f.Close()
		l.rotate()
		f, size, err = l.open()
	}
	if err != nil {
		return doing("opening", l.path, err)
	}
	defer f.Close()
	if size > tooMuch*l.max {
		return doing("writing", l.path, errFull)
	}
	if l.torn {
		lines = append([]byte("\n"), lines...)
	}
	n, err := f.Write(lines)
	if l.torn = err != nil && n > 0; err != nil {
		return doing("writing", l.path, bare(err))
	}
	return nil
}

// open opens the file and returns its size. What somebody else may have put in its
// place, or could read, is not written to (OAUTH X25).
func (l *file) open() (*os.File, int64, error) {
	if err := l.prepare(); err != nil {
		return nil, 0, err
	}
	f, err := openAppend(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		l.safe = false // the folder is gone
	}
	if err != nil {
		return nil, 0, bare(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = privatefile.Unsafe(l.path, "is not a regular file", "remove it")
	}
	if err == nil {
		err = privatefile.CheckOwner(l.path, info)
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// prepare makes the folders, or checks those that are there.
func (l *file) prepare() error {
	if l.safe {
		return nil
	}
	dir := filepath.Dir(l.path)
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.MkdirAll(d, privateFolder); err != nil {
			return bare(err)
		}
		info, err := os.Lstat(d)
		if err == nil && !info.IsDir() {
			err = privatefile.Unsafe(d, "is not a folder but a link or a file", "give the real folder with --state-dir")
		}
		if err == nil {
			err = privatefile.CheckOwner(d, info)
		}
		if err != nil {
			return err
		}
	}
	l.safe = true
	return nil
}

// rotate makes the file the first of the older ones, unless another process does
// or has. If it cannot be done the file grows.
func (l *file) rotate() {
	lock := flock.New(lockPath(l.path), flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow), flock.SetPermissions(privateFile))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return
	}
	defer func() { _ = lock.Close() }()
	const over = 10 // a file above nine tenths is one that nobody has rotated yet
	if info, err := os.Lstat(l.path); err != nil || info.Size() < l.max-l.max/over {
		return
	}
	for n := kept; n > 1; n-- {
		_ = os.Rename(rotated(l.path, n-1), rotated(l.path, n)) // there may be none yet
	}
	_ = os.Rename(l.path, rotated(l.path, 1)) // or it grows
}

// bare is an error without the path, which is told beside it.
func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
