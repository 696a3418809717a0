package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// places of a run, absolute.
type places struct {
	binary string // the built payu-mcp
	node   string // Node 22, as pinned in ../npm
	suite  string // folder of the official suite
	out    string // what each scenario left
	report string
}

// TestMain doubles as the host that the suite starts, and as that one's browser.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 {
		switch os.Args[1] {
		case "drive":
			os.Exit(drive(os.Args[2]))
		case "visit":
			os.Exit(visit(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

// visit is the browser: one that a person need not sit before, since the suite's
// sign-in pages answer by themselves.
func visit(url string) int {
	ctx, cancel := context.WithTimeout(context.Background(), driveLimit)
	defer cancel()
	page, err := sandbox.Visitor{}.Visit(ctx, url)
	if err != nil || page.Status != http.StatusOK {
		return 1
	}
	return 0
}

func prepare() (places, error) {
	here, err := os.Getwd()
	if err != nil {
		return places{}, err
	}
	e2e := filepath.Dir(here)
	modules := filepath.Join(e2e, "npm", "node_modules")
	p := places{
		node:   filepath.Join(modules, "node", "bin", "node"),
		suite:  filepath.Join(modules, "@modelcontextprotocol", "conformance"),
		out:    filepath.Join(e2e, "out", "conformance"),
		report: filepath.Join(e2e, "out", "conformance.md"),
	}
	for _, needed := range []string{p.node, p.suite} {
		if _, err := os.Stat(needed); err != nil {
			return p, errors.New("the suite is not installed: run e2e/install.sh")
		}
	}
	if err := errors.Join(os.RemoveAll(p.out), os.MkdirAll(p.out, 0o755)); err != nil {
		return p, err
	}
	if p.binary = os.Getenv("E2E_BINARY"); p.binary != "" {
		return p, nil
	}
	p.binary = filepath.Join(p.out, "payu-mcp")
	return p, build(filepath.Dir(e2e), p.binary)
}

func build(module, to string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	args := []string{"build", "-o", to}
	if os.Getenv("E2E_RACE") != "" {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/payu-mcp")...)
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building payu-mcp: %w\n%s", err, out)
	}
	return nil
}
