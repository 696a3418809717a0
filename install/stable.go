package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNotLasting: the program runs from a place that will be gone soon. The caller
// tells the person how to install it.
var ErrNotLasting = errors.New("this payu-mcp runs from a place that will be gone")

// StablePath returns the absolute path under which program, an absolute path of
// this program's file, will still be found after an update: the link on PATH or
// of a package manager, not the folder with the version in it.
func (s System) StablePath(program string) (string, error) {
	if !filepath.IsAbs(program) {
		return "", fmt.Errorf("the path of the program is not absolute: %s", program)
	}
	if passing(program) {
		return "", fmt.Errorf("%w: %s", ErrNotLasting, program)
	}
	target, err := filepath.EvalSymlinks(program)
	if err != nil {
		return "", fmt.Errorf("finding the program: %w", err)
	}
	for _, path := range slices.Concat(s.packaged(program), s.packaged(target), s.onPath(filepath.Base(program))) {
		if !passing(path) && sameFile(path, target) {
			return path, nil
		}
	}
	return program, nil
}

// passing tells of places that last no longer than a command: those of `go run`
// and `go test`, npx, a shell of fnm, and a macOS program that was never moved out
// of its download.
func passing(path string) bool {
	slashed := filepath.ToSlash(path)
	for name := range strings.SplitSeq(slashed, "/") {
		number, isBuild := strings.CutPrefix(name, "go-build")
		if isBuild && strings.Trim(number, "0123456789") == "" || slices.Contains([]string{"_npx", "fnm_multishells", "AppTranslocation"}, name) {
			return true
		}
	}
	return false
}

// packaged are the lasting paths of package managers whose own path has a
// version in it.
func (s System) packaged(program string) []string {
	var paths []string
	slashed, name := filepath.ToSlash(program), filepath.Base(program)
	for _, cellar := range []string{"/Cellar/", "/Caskroom/"} { // Homebrew
		if prefix, rest, ok := strings.Cut(slashed, cellar); ok {
			formula, _, _ := strings.Cut(rest, "/")
			paths = append(paths, filepath.Join(prefix, "bin", name), filepath.Join(prefix, "opt", formula, "bin", name))
		}
	}
	if prefix, rest, ok := strings.Cut(slashed, "/scoop/apps/"); ok {
		if app, below, ok := strings.Cut(rest, "/"); ok {
			_, below, _ = strings.Cut(below, "/")
			// Scoop's junction is the same file; its shim is another program before it.
			paths = append(paths, filepath.Join(prefix, "scoop", "apps", app, "current", below))
		}
	}
	return paths
}

// onPath are the files of PATH with a name, in its order.
func (s System) onPath(name string) []string {
	var paths []string
	if s.Getenv == nil {
		return nil
	}
	for _, dir := range filepath.SplitList(s.Getenv("PATH")) {
		if filepath.IsAbs(dir) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
