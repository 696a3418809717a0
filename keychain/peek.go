package keychain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Entry is one stored record as List sees it.
type Entry struct {
	Path   string  // of the sealed file
	Header *Header // nil: it cannot be read, Err tells why
	Note   Note
	Err    error
}

// Peek reads the clear header of a record, for `status`: no keychain call, no
// lock, no change on disk. The header is not authenticated. Nothing stored: nil
// and no error.
func Peek(dir, profile, resource string) (*Header, Note, error) {
	e := peek(Path(dir, profile, resource))
	if errors.Is(e.Err, fs.ErrNotExist) {
		return nil, e.Note, nil
	}
	return e.Header, e.Note, e.Err
}

// Path returns where the sealed file of a record is, or would be.
func Path(dir, profile, resource string) string {
	return filepath.Join(dir, fileName(profile, resource)+sealedSuffix)
}

func peek(path string) Entry {
	e := Entry{Path: path, Note: readNote(beside(path, lockSuffix))}
	raw, _, err := readPrivate(path, maxFile)
	if err != nil {
		e.Err = err
		return e
	}
	_, e.Header, e.Err = parse(raw)
	if e.Header != nil && fileName(e.Header.Profile, e.Header.Resource)+sealedSuffix != filepath.Base(path) {
		e.Header, e.Err = nil, damaged("it belongs to another profile or endpoint")
	}
	return e
}

// List returns all stored records of a state folder, sorted by file name; none
// when the folder does not exist. As Peek, it authenticates nothing.
func List(dir string) ([]Entry, error) {
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the stored logins: %w", err)
	}
	var all []Entry
	for _, n := range names {
		if strings.HasPrefix(n.Name(), namePrefix) && strings.HasSuffix(n.Name(), sealedSuffix) {
			all = append(all, peek(filepath.Join(dir, n.Name())))
		}
	}
	return all, nil
}
