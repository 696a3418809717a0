package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// noisy is an opener with bad manners: it prints, tells where its output and
// that of the program that started it go, and signs in.
func noisy(args []string) int {
	var b strings.Builder
	for _, pid := range []string{"self", fmt.Sprint(os.Getppid())} {
		for _, fd := range []string{"0", "1", "2"} {
			to, err := os.Readlink(filepath.Join("/proc", pid, "fd", fd))
			fmt.Fprintln(&b, pid, fd, to, err)
		}
	}
	fmt.Println("[1:2:ERROR] a browser says hello")
	fmt.Fprintln(os.Stderr, "[1:2:ERROR] and once more")
	if os.WriteFile(args[0], []byte(b.String()), 0o600) != nil {
		return 1
	}
	return visit(args[1:])
}

// Whatever a browser or a library prints, the host reads messages and nothing
// else: every line is checked as it comes (host.read).
//
//oauth:row X20 cmd/payu-mcp/main.go "os.Stdout = os.Stderr" => "_, _ = os.Stdout.WriteString(\"a library says hello\\n\")"
//oauth:row X20 auth/browser.go "cmd.Stdin, cmd.SysProcAttr = stdin, detached()" => "cmd.Stdin, cmd.SysProcAttr, cmd.Stdout = stdin, detached(), os.NewFile(1, \"stdout\")"
func TestStdout_noisyBrowser_messagesOnly(t *testing.T) {
	t.Parallel()
	needRootsEyes(t)
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	told := w.path("logs", "noisy")
	w.actor("noisy", told)
	h := w.startHost("--url", sb.Endpoint(), "--store=file")
	h.initialize()
	h.healthy() // signs in
	var pipes []string
	for fd := range 3 {
		pipe, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", h.cmd.Process.Pid, fd))
		if err != nil || !strings.HasPrefix(pipe, "pipe:") {
			t.Fatalf("file %d of the bridge is %s (%v)", fd, pipe, err)
		}
		pipes = append(pipes, pipe)
	}
	h.end()
	text, err := os.ReadFile(told)
	if err != nil || strings.Count(string(text), "/dev/null") < 2 {
		t.Errorf("the browser's output: %v\n%s", err, text)
	}
	for _, pipe := range pipes {
		if strings.Contains(string(text), pipe) {
			t.Errorf("a pipe of the bridge, %s, was given away:\n%s", pipe, text)
		}
	}
}
