package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A temporary file is called path, a dot, a rand.Text, tempSuffix.
const (
	tempSuffix = ".tmp"
	randomLen  = 26
)

// Write makes data the content of path, with exactly the mode perm whatever the
// umask is. It writes a temporary file in the same folder (so never in a shared
// one), syncs it, renames it over path and syncs the folder. A symbolic link at
// path is replaced, not followed. After an error path has its old content, or,
// when only the folder could not be synced, perhaps the new one; no temporary
// file is left.
//
// What it does not promise: two writers at once do not mix their data, but which
// of them wins is open, so callers hold a lock; a process killed inside Write
// leaves its temporary file (see Sweep); on Windows the folder is not synced and
// perm has no effect beyond the read-only bit; owner, ACLs and hard links of the
// old file are not kept.
func Write(path string, data []byte, perm fs.FileMode) error {
	return WriteIf(path, data, perm, func(*os.File) error { return nil })
}

// WriteIf is Write with a last look before path is replaced: ready gets the
// temporary file, written and synced. After an error of ready path has its old
// content, and the error comes back wrapped.
func WriteIf(path string, data []byte, perm fs.FileMode, ready func(temp *os.File) error) error {
	temp := path + "." + rand.Text() + tempSuffix
	if err := writeTemp(temp, data, perm, ready); err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, removeIfThere(temp)))
	}
	if err := replace(temp, path); err != nil {
		return fmt.Errorf("replacing %s: %w", path, errors.Join(err, removeIfThere(temp)))
	}
	if err := SyncFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("syncing the folder of %s: %w", path, err)
	}
	return nil
}

func writeTemp(temp string, data []byte, perm fs.FileMode, ready func(temp *os.File) error) (err error) {
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, perm)
	if err != nil {
		return bare(err)
	}
	defer func() { err = bare(errors.Join(err, f.Close())) }()
	// The mode given to open is cut by the umask; this one is not.
	if err = f.Chmod(perm); err != nil {
		return err
	}
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	return ready(f)
}

// Sweep removes the temporary files that killed writers of path left. Call it
// only while holding the lock that all writers of path hold.
func Sweep(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("looking for leftovers: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if isTemp(e.Name(), filepath.Base(path)) {
			errs = append(errs, removeIfThere(filepath.Join(filepath.Dir(path), e.Name())))
		}
	}
	return errors.Join(errs...)
}

// isTemp tells a name that Write made for base.
func isTemp(name, base string) bool {
	middle, ok := strings.CutPrefix(name, base+".")
	if !ok {
		return false
	}
	middle, ok = strings.CutSuffix(middle, tempSuffix)
	return ok && len(middle) == randomLen
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bare(err)
	}
	return nil
}

// bare drops the random name of the temporary file from an error, so that equal
// faults read the same.
func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
