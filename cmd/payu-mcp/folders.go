package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// A host's configuration may name a state folder that came with it, with a
// profile in it that nobody has given to login. So login notes in the person's
// own state folder in which other ones it has remembered something (OAUTH X17).

// foldersFile lists them, as a JSON array of absolute paths.
const foldersFile = "folders.json"

// remember saves what login was told, for the bridge and the next login.
func (o *options) remember(log *slog.Logger) error {
	if err := saveSettings(o.stateDir, o.profile, o.login); err != nil {
		return err
	}
	if err := o.noteFolder(); err != nil {
		log.Warn("a bridge may not take what is remembered in this state folder", "err", err)
	}
	return nil
}

func (o *options) noteFolder() error {
	home, known, err := knownFolders()
	dir := realPath(o.stateDir)
	switch {
	case home != "" && dir == realPath(home):
		return nil
	case err != nil || slices.Contains(known, dir):
		return err
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("making the state folder: %w", err)
	}
	b, err := json.Marshal(append(known, dir))
	if err != nil {
		return fmt.Errorf("encoding the state folders: %w", err)
	}
	return atomicfile.Write(filepath.Join(home, foldersFile), append(b, '\n'), 0o600)
}

// givenToLogin returns what is remembered if login has remembered it.
func (o *options) givenToLogin() settings {
	if o.isOwnFolder() {
		return o.saved
	}
	return settings{}
}

// isOwnFolder tells whether the state folder is the person's own, or one that login
// has written into.
func (o *options) isOwnFolder() bool {
	home, known, err := knownFolders()
	dir := realPath(o.stateDir)
	return home != "" && dir == realPath(home) || err == nil && slices.Contains(known, dir)
}

// knownFolders returns the person's own state folder, and the others that login
// has written into. That one is known, if there is a home, also with an error.
func knownFolders() (home string, known []string, err error) {
	if home, err = defaultStateDir(); err != nil {
		return "", nil, err
	}
	b, _, err := privatefile.Read(filepath.Join(home, foldersFile), maxSettings)
	if errors.Is(err, fs.ErrNotExist) {
		return home, nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &known)
	}
	if err != nil {
		return home, nil, fmt.Errorf("reading the noted state folders: %w", err)
	}
	return home, known, nil
}

// realPath is absolute and without links, as far as the path is there.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}
