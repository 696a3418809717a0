package install_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/install"
)

// computer is one with a home of its own and the paths of an operating system.
type computer struct {
	t *testing.T
	install.System

	ours string // the program that entries shall start; it is there
}

func newComputer(t *testing.T, goos string) computer {
	t.Helper()
	c := computer{t: t, System: install.System{GOOS: goos, Home: t.TempDir(), Getenv: func(string) string { return "" }}}
	c.ours = c.put("bin/payu-mcp", "a program")
	return c
}

// put writes a file below the home and returns its path.
func (c computer) put(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.Home, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c computer) read(path string) string {
	c.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.t.Fatal(err)
	}
	return string(b)
}

func host(t *testing.T, id string) install.Host {
	t.Helper()
	h, ok := install.Find(id)
	if !ok {
		t.Fatalf("there is no host %q", id)
	}
	return h
}

func (c computer) command() install.Command {
	return install.Command{Path: c.ours, Profile: "default"}
}

// install makes the changes of a plan, which must all be possible, and returns how many there were.
func (c computer) install(h install.Host, want install.Command, o install.Options) int {
	c.t.Helper()
	return c.apply(c.Plan(h, want, o))
}

func (c computer) uninstall(h install.Host, profile string) int {
	c.t.Helper()
	return c.apply(c.Removal(h, profile, install.Options{}))
}

func (c computer) apply(changes []install.Change) (made int) {
	c.t.Helper()
	for _, ch := range changes {
		if ch.Err != nil {
			c.t.Fatalf("%s: %v", ch.Host.ID, ch.Err)
		}
		if ch.Empty() {
			continue
		}
		made++
		if _, err := c.Apply(context.Background(), ch, time.Date(2026, 11, 26, 12, 0, made, 0, time.UTC)); err != nil {
			c.t.Fatalf("%s: %v", ch.Host.ID, err)
		}
	}
	return made
}

// findings are those of one host.
func (c computer) findings(id string) []install.Finding {
	c.t.Helper()
	var all []install.Finding
	for _, f := range c.Survey("payu", c.ours) {
		if f.Host == id {
			all = append(all, f)
		}
	}
	return all
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }
