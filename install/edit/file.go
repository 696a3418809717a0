package edit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
)

// ErrChanged means that somebody has changed a file since it was read; it has not
// been touched. Reading it again helps.
var ErrChanged = errors.New("the file has changed since it was read")

const (
	maxFile      = 64 << 20 // bytes; a history of Claude Code has some megabytes
	newFileMode  = 0o600    // entries of others may hold secrets
	newFolder    = 0o700
	backupMark   = ".payu-mcp.bak-"
	backupTime   = "20060102T150405.000Z" // in names: sorted, and without colons, which Windows does not take
	keepBackups  = 3
	backupsTried = 10 // names, within one millisecond
)

// File is a configuration file as it was read.
type File struct {
	Path   string      // as it was asked for
	Target string      // the file itself: another than Path if that is a link
	Bytes  []byte      // nil if it does not exist
	Exists bool        // a file that does not exist can be made with Replace
	Mode   fs.FileMode // of the target

	info fs.FileInfo
}

// Read reads a file, following links. It is no error if there is none. What is no
// file, or larger than 64 MB, is refused, as is a link that leads to nothing.
func Read(path string) (File, error) {
	f := File{Path: path, Target: path}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil && info.Mode().Type() == fs.ModeSymlink {
		f.Target, err = filepath.EvalSymlinks(path)
		if errors.Is(err, fs.ErrNotExist) {
			// To replace the link would take the file away from where it is kept.
			return f, refused(0, "it is a link that leads to nothing")
		}
	}
	if err != nil {
		return f, err
	}
	f.info, err = os.Stat(f.Target)
	switch {
	case err != nil:
		return f, err
	case !f.info.Mode().IsRegular(): // before opening, which would wait on a FIFO
		return f, refused(0, "%s is no file", f.Target)
	}
	if f.Bytes, err = readAll(f.Target); err != nil {
		return f, err
	}
	f.Exists, f.Mode = true, f.info.Mode()
	return f, nil
}

// ReadIn is Read for a file of a person with the home folder home. A link that
// leads out of it is refused: what is there belongs to more than this person. A
// file outside of home may be a link in its own folder.
func ReadIn(home, path string) (File, error) {
	f, err := Read(path)
	if err != nil || !f.Exists {
		return f, err
	}
	around := home
	if !below(home, path) {
		around = filepath.Dir(path)
	}
	around, err = filepath.EvalSymlinks(around)
	if err != nil {
		return f, err
	}
	target, err := filepath.EvalSymlinks(f.Target)
	if err != nil {
		return f, err
	}
	if !below(around, target) {
		return f, refused(0, "it is a link to %s, outside of %s", target, around)
	}
	return f, nil
}

func below(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func readAll(path string) ([]byte, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = refused(0, "it has more than %d bytes", maxFile)
	}
	return b, err
}

// Replace makes after the content of the file, at once and with the mode and owner
// that it had, if it is still as it was read (else ErrChanged). The old content is
// kept beside it in a file called FILE.payu-mcp.bak-TIME, of which the newest
// three stay; backup is its path, "" if there was no file. A file that did not
// exist is made for its owner alone, with its folders. Nothing is done if after is
// what is there.
//
// After an error the file has its old content, and there is no backup, unless the
// disk failed at the very end: then the backup is there. What is not kept: hard
// links, access control lists, extended attributes.
func (f File) Replace(after []byte, now time.Time) (backup string, err error) {
	if bytes.Equal(f.Bytes, after) && (f.Exists || len(after) == 0) {
		return "", nil
	}
	if !f.Exists {
		return "", f.create(after)
	}
	if f.Mode&0o200 == 0 {
		return "", refused(0, "%s is write-protected", f.Target)
	}
	if err := f.unchanged(); err != nil {
		return "", err
	}
	if backup, err = f.backup(now); err != nil {
		return "", fmt.Errorf("keeping a copy of the file: %w", err)
	}
	if err := f.write(after); err != nil {
		if f.unchanged() != nil { // it is replaced, but that could not be made to last
			return backup, err
		}
		return "", errors.Join(err, os.Remove(backup))
	}
	f.prune(filepath.Base(backup))
	return backup, nil
}

func (f File) create(after []byte) error {
	if err := os.MkdirAll(filepath.Dir(f.Target), newFolder); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	return atomicfile.WriteIf(f.Target, after, newFileMode, func(*os.File) error { return f.unchanged() })
}

// write replaces the file; the last look is right before that.
func (f File) write(after []byte) error {
	return atomicfile.WriteIf(f.Target, after, f.Mode.Perm(), func(temp *os.File) error {
		if err := sameOwner(temp, f.info, f.Mode.Perm()); err != nil {
			return fmt.Errorf("keeping the owner: %w", err)
		}
		return f.unchanged()
	})
}

func (f File) unchanged() error {
	now, err := Read(f.Path)
	if err != nil {
		return err
	}
	if now.Exists != f.Exists || now.Target != f.Target || !bytes.Equal(now.Bytes, f.Bytes) {
		return fmt.Errorf("%w: %s", ErrChanged, f.Path)
	}
	return nil
}

// backup writes the old content beside the path that was asked for, where the
// person looks for it.
func (f File) backup(now time.Time) (string, error) {
	name := f.Path + backupMark + now.UTC().Format(backupTime)
	for n := range backupsTried {
		path := name
		if n > 0 {
			path = fmt.Sprintf("%s-%d", name, n+1)
		}
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		err := atomicfile.WriteIf(path, f.Bytes, f.Mode.Perm(), func(temp *os.File) error {
			return sameOwner(temp, f.info, f.Mode.Perm())
		})
		return path, err
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrExist)
}

// prune removes the oldest backups, but not the one just made: a clock that was
// ahead once has made older ones look newer. That one stays is no fault of the
// edit.
func (f File) prune(latest string) {
	entries, err := os.ReadDir(filepath.Dir(f.Path))
	if err != nil {
		return
	}
	var ours []string
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), filepath.Base(f.Path)+backupMark)
		if ok && e.Name() != latest && len(rest) >= len(backupTime) && e.Type().IsRegular() {
			if _, err := time.Parse(backupTime, rest[:len(backupTime)]); err == nil {
				ours = append(ours, e.Name())
			}
		}
	}
	slices.Sort(ours)
	for _, name := range ours[:max(0, len(ours)-(keepBackups-1))] {
		_ = os.Remove(filepath.Join(filepath.Dir(f.Path), name))
	}
}
