package keychain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

const (
	privateFile   fs.FileMode = 0o600
	privateFolder fs.FileMode = 0o700
)

// makeFolder makes dir, or checks the one that is there (OAUTH X25).
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, privateFolder); err != nil {
		return hint.With(fmt.Errorf("making the state folder: %w", err), hintFolder)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("checking the state folder: %w", err)
	}
	if !info.IsDir() {
		return privatefile.Unsafe(dir, "is not a folder but a link or a file", "give the real folder with --state-dir")
	}
	return privatefile.CheckOwner(dir, info)
}

// readPrivate reads a file that nobody else can write or read.
func readPrivate(path string, limit int64) ([]byte, fs.FileInfo, error) {
	b, info, err := privatefile.Read(path, limit)
	if errors.Is(err, privatefile.ErrTooLarge) {
		return nil, nil, damaged("it is larger than %d bytes", limit)
	}
	return b, info, err
}

// removeFile deletes a file that may be missing.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
