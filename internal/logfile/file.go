package logfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

const (
	privateFile   fs.FileMode = 0o600
	privateFolder fs.FileMode = 0o700

	// tooMuch times Max is where a file that cannot be rotated takes no more.
	tooMuch = 4
)

var errFull = errors.New("it cannot be rotated and is full")

// File is a file of lines that several processes append to, and that is rotated.
// It is opened for each writing: then a rotation by another process, which may be
// anywhere in between, leads nobody to the old file for long, and an idle bridge
// holds nothing open. It is not safe for concurrent use within a process.
type File struct {
	Path string // its folder, and the one that this is in, are made if they are missing
	Max  int64  // bytes at which it is rotated
	Kept int    // how many rotated ones there are besides it

	safe bool // the folders are ours alone
	torn bool // the last writing broke off, perhaps within a line
}

// Append writes whole lines in one go, which the system does not mix with those
// of other processes. durable: they are on the disk when it returns, and would
// survive a power cut, as far as the system can tell; else they survive this
// process. After an error some of them may be there.
func (l *File) Append(lines []byte, durable bool) error {
	f, size, err := l.open()
	if err == nil && size > 0 && size+int64(len(lines)) > l.Max {
		_ = f.Close()
		l.rotate()
		f, size, err = l.open()
	}
	if err != nil {
		return doing("opening", l.Path, err)
	}
	defer f.Close()
	if size > tooMuch*l.Max {
		return doing("writing", l.Path, errFull)
	}
	if l.torn {
		lines = append([]byte("\n"), lines...)
	}
	n, err := f.Write(lines)
	if l.torn = err != nil && n > 0; err != nil {
		return doing("writing", l.Path, bare(err))
	}
	if !durable {
		return nil
	}
	return l.sync(f, size == 0)
}

// sync waits for the disk; created: for the name of the file, too.
func (l *File) sync(f *os.File, created bool) error {
	err := f.Sync()
	if err == nil && created {
		err = atomicfile.SyncFolder(filepath.Dir(l.Path))
	}
	if err != nil {
		return doing("syncing", l.Path, bare(err))
	}
	return nil
}

// open opens the file and returns its size. What somebody else may have put in its
// place, or could read, is not written to (OAUTH X25).
func (l *File) open() (*os.File, int64, error) {
	if err := l.Prepare(); err != nil {
		return nil, 0, err
	}
	f, err := openAppend(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		l.safe = false // the folder is gone
	}
	if err != nil {
		return nil, 0, bare(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = privatefile.Unsafe(l.Path, "is not a regular file", "remove it")
	}
	if err == nil {
		err = privatefile.CheckOwner(l.Path, info)
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Prepare makes the folders, or checks those that are there, as Append does.
func (l *File) Prepare() error {
	if l.safe {
		return nil
	}
	dir := filepath.Dir(l.Path)
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
func (l *File) rotate() {
	lock := flock.New(lockPath(l.Path), flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow), flock.SetPermissions(privateFile))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return
	}
	defer func() { _ = lock.Close() }()
	const over = 10 // a file above nine tenths is one that nobody has rotated yet
	if info, err := os.Lstat(l.Path); err != nil || info.Size() < l.Max-l.Max/over {
		return
	}
	for n := l.Kept; n > 1; n-- {
		_ = os.Rename(rotated(l.Path, n-1), rotated(l.Path, n)) // there may be none yet
	}
	_ = os.Rename(l.Path, rotated(l.Path, 1)) // or it grows
}

// bare is an error without the path, which is told beside it.
func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
