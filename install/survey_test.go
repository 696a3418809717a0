package install_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/payu-mcp/payu-mcp/install"
)

// computer is one with a home of its own and the paths of an operating system.
type computer struct {
	t *testing.T
	install.System
}

func newComputer(t *testing.T, goos string) computer {
	t.Helper()
	return computer{t, install.System{GOOS: goos, Home: t.TempDir(), Getenv: func(string) string { return "" }}}
}

// put writes a file below the home and returns its path.
func (c computer) put(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.Home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

