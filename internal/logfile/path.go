package logfile

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	folder = "logs"
	suffix = ".log"

	// maxSize is where a file is rotated, in bytes: some thousand requests.
	maxSize = 1 << 20
	// kept is how many rotated files there are besides the one that is written.
	kept = 3
)

// Path returns where the log of a profile is, or would be. Beside it are older
// ones, the numbers counting backwards (default.1.log is the newest of them), and
// the lock for their rotation.
func Path(stateDir, profile string) string {
	return filepath.Join(stateDir, folder, profile+suffix)
}

// rotated returns the path of the n-th older file.
func rotated(path string, n int) string {
	return stem(path) + "." + strconv.Itoa(n) + filepath.Ext(path)
}

func lockPath(path string) string { return stem(path) + ".lock" }

func stem(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) }

// doing adds to an error what was done with which file.
func doing(what, path string, err error) error {
	return fmt.Errorf("%s %s: %w", what, path, err)
}
