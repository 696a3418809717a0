package catalogue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

const (
	namePrefix = "catalogue-"
	nameSuffix = ".json"
	// maxVersion bounds what may stand in a file name of a version that a host made up.
	maxVersion = 32
	// maxFile bounds one file.
	maxFile = 8 << 20
	// fresh is how long a catalogue is not written again if nothing has changed:
	// after that the new time is worth the write.
	fresh = 24 * time.Hour
)

// Shelf holds the catalogues of one profile and endpoint. It is safe for
// concurrent use, also by several processes: the last one to save wins, and
// nobody ever reads a part of a file.
type Shelf struct {
	dir, prefix string
	now         func() time.Time
}

// NewShelf returns the shelf of that name in a folder; nothing is read or
// written yet. No name may be another one with a hyphen and more: names of one
// length are safe.
func NewShelf(dir, name string, now func() time.Time) *Shelf {
	return &Shelf{dir: dir, prefix: namePrefix + name + "-", now: now}
}

// Load returns the catalogue of a protocol version; nil if there is none. One
// that is damaged, too large or not this user's alone counts as none, and the
// error is for the log.
func (s *Shelf) Load(version string) (*Saved, error) {
	path, ok := s.path(version)
	if !ok {
		return nil, nil
	}
	raw, _, err := privatefile.Read(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var v *Saved
	if err == nil {
		v, err = decode(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue of %s: %w", version, err)
	}
	return v, nil
}

// Save keeps v as the catalogue of a protocol version, with the time of now.
// Nothing is written if the folder does not exist, if the version cannot be the
// name of a file, or if the same was saved within the last day.
func (s *Shelf) Save(version string, v Saved) error {
	path, ok := s.path(version)
	if !ok {
		return nil
	}
	v.SavedAt = s.now().Round(0)
	if old, err := s.Load(version); err == nil && old != nil && v.same(*old) && s.isFresh(old.SavedAt) {
		return nil
	}
	raw := v.encode()
	err := v.check()
	if err == nil {
		_, err = decode(raw)
	}
	if err != nil {
		return fmt.Errorf("keeping the catalogue of %s: %w", version, err)
	}
	if len(raw) > maxFile {
		return fmt.Errorf("keeping the catalogue of %s: %w: %d bytes", version, privatefile.ErrTooLarge, len(raw))
	}
	if err := atomicfile.Write(path, raw, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keeping the catalogue of %s: %w", version, err)
	}
	return nil
}

// isFresh also takes a time to come for an old one: a clock was wrong.
func (s *Shelf) isFresh(at time.Time) bool {
	age := s.now().Sub(at)
	return age >= 0 && age < fresh
}

// Drop removes the catalogues of all protocol versions, and what a killed writer
// left of one.
func (s *Shelf) Drop() error {
	names, err := s.names()
	for _, name := range names {
		if e := os.Remove(filepath.Join(s.dir, name)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("dropping the catalogue: %w", err)
	}
	return nil
}

// Ages returns when each protocol version was saved. What cannot be loaded is
// left out.
func (s *Shelf) Ages() map[string]time.Time {
	ages := map[string]time.Time{}
	names, _ := s.names() // no folder, or one that cannot be read: nothing to tell
	for _, name := range names {
		version, ok := strings.CutSuffix(strings.TrimPrefix(name, s.prefix), nameSuffix)
		if !ok {
			continue
		}
		if v, err := s.Load(version); err == nil && v != nil {
			ages[version] = v.SavedAt
		}
	}
	return ages
}

// names lists the files of this shelf.
func (s *Shelf) names() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), s.prefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (s *Shelf) path(version string) (string, bool) {
	return filepath.Join(s.dir, s.prefix+version+nameSuffix), printable.Plain(version, ".-", maxVersion)
}
