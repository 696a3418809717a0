package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

func settingsFile(stateDir, profile string) string {
	return filepath.Join(stateDir, "profile-"+profile+".json")
}

// loadSettings reads what `login` remembered; nothing when there is no file.
func loadSettings(stateDir, profile string) (settings, error) {
	file := settingsFile(stateDir, profile)
	b, err := os.ReadFile(file)
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
