package keychain

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/payu-mcp/payu-mcp/internal/hint"
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
		return unsafePath(dir, "is not a folder but a link or a file", "give the real folder with --state-dir")
	}
	return checkPrivate(dir, info)
}

// checkFile refuses what another user may have planted or can read. A missing
// file is fine.
func checkFile(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("checking a file of the store: %w", err)
	}
	return checkRegular(path, info)
}

func checkRegular(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return unsafePath(path, "is not a regular file", "remove it")
	}
	return checkPrivate(path, info)
}

// readPrivate reads a file that nobody else can write or read.
func readPrivate(path string, limit int64) ([]byte, fs.FileInfo, error) {
	if err := checkFile(path); err != nil { // before open: that would wait on a planted FIFO
		return nil, nil, err
	}
	f, err := openShared(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if err := checkRegular(path, info); err != nil {
		return nil, nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(b)) > limit {
		return nil, nil, damaged("it is larger than %d bytes", limit)
	}
	return b, info, nil
}

// removeFile deletes a file that may be missing.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
