package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

func settingsFile(stateDir, profile string) string {
	return filepath.Join(stateDir, "profile-"+profile+".json")
}

// maxSettings bounds a profile's file, in bytes.
const maxSettings = 64 << 10

// loadSettings reads what `login` remembered; nothing when there is no file. One
// that another user may have written could lead a sign-in anywhere, so it is
// refused (OAUTH X25).
func loadSettings(stateDir, profile string) (settings, error) {
	file := settingsFile(stateDir, profile)
	b, _, err := privatefile.Read(file, maxSettings)
	if errors.Is(err, fs.ErrNotExist) {
		return settings{}, nil
	}
	var s settings
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return settings{}, hint.With(fmt.Errorf("the state folder %s is a file", stateDir), "give a folder with --state-dir")
	}
	if errors.Is(err, privatefile.ErrUnsafe) {
		return settings{}, fmt.Errorf("reading the settings of profile %q: %w", profile, err)
	}
	if err != nil {
		return settings{}, hint.With(fmt.Errorf("reading the settings of profile %q: %w", profile, err), "correct or delete "+file+"; payu-mcp login writes it anew")
	}
	return s, nil
}

// saveSettings remembers s for the bridge and the next login.
func saveSettings(stateDir, profile string, s settings) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the settings: %w", err)
	}
	if err := atomicfile.Write(settingsFile(stateDir, profile), append(b, '\n'), 0o600); err != nil {
		return hint.With(fmt.Errorf("saving the settings: %w", err), "make room, or give another folder with --state-dir")
	}
	return nil
}
