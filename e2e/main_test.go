package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Places of a run, absolute.
var (
	binary string // the built payu-mcp
	node   string // Node 22, as pinned in npm/
	npmDir string
	outDir string
)

// TestMain doubles as the small programs that tests start: see actors.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if act, ok := actors[os.Args[1]]; ok {
			os.Exit(act(os.Args[2:]))
		}
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(searchLogs(m.Run()))
}

func prepare() error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	npmDir, outDir = filepath.Join(here, "npm"), filepath.Join(here, "out")
	node = filepath.Join(npmDir, "node_modules", "node", "bin", "node")
	if _, err := os.Stat(node); err != nil {
		return errors.New("the programs of the tests are not installed: run e2e/install.sh")
	}
	if err := emptyOut(); err != nil {
		return err
	}
	// Detached children of payu-mcp come back to this process, so that the
	// watch over argv and environment does not lose them.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming subreaper: %w", err)
	}
	if binary = os.Getenv("E2E_BINARY"); binary != "" {
		return nil
	}
	binary = filepath.Join(outDir, "payu-mcp")
	return build(binary)
}

// emptyOut takes the last run's files away, but for those of the conformance
// tests, which are another package.
func emptyOut() error {
	old, err := filepath.Glob(filepath.Join(outDir, "*"))
	for _, path := range old {
		if !strings.HasPrefix(filepath.Base(path), "conformance") {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	return errors.Join(err, os.MkdirAll(outDir, 0o755))
}

func build(to string) error {
	args := []string{"build", "-o", to}
	if os.Getenv("E2E_RACE") != "" {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(context.Background(), "go", append(args, "./cmd/payu-mcp")...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building payu-mcp: %w\n%s", err, out)
	}
	return nil
}
