package hosts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// places of a run, absolute.
type places struct {
	self   string // this test binary, which doubles as small programs
	binary string // the built payu-mcp
	node   string // Node 22, as pinned in ../npm
	npm    string // the hosts' packages, one folder each
	shared string // the packages of the other end-to-end tests
	out    string // what each test left
}

// at is set once, by TestMain.
var at places

// TestMain doubles as the small programs that hosts start.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "tee":
			os.Exit(tee(os.Args[2], os.Args[3:]))
		case "visit":
			os.Exit(visit(os.Args[2:]))
		}
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "hosts:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func prepare() error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	shared := filepath.Join(filepath.Dir(here), "npm", "node_modules")
	at = places{
		self: self, node: filepath.Join(shared, "node", "bin", "node"), shared: shared,
		npm: filepath.Join(here, "npm"), out: filepath.Join(here, "out"),
	}
	if _, err := os.Stat(at.node); err != nil {
		return errors.New("the programs of the tests are not installed: run e2e/install.sh")
	}
	if err := errors.Join(os.RemoveAll(at.out), os.MkdirAll(at.out, 0o755)); err != nil {
		return err
	}
	// What a host leaves behind comes back to this process, which ends it.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming subreaper: %w", err)
	}
	if at.binary = os.Getenv("E2E_BINARY"); at.binary != "" {
		return nil
	}
	at.binary = filepath.Join(at.out, "payu-mcp")
	return build(filepath.Dir(filepath.Dir(here)), at.binary)
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
