package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// peek tries to look into another process of its user: which of its files in
// /proc that hold memory can be opened.
func peek(args []string) int {
	for _, name := range []string{"environ", "mem", "maps", "auxv", "fd"} {
		f, err := os.Open(filepath.Join("/proc", args[0], name))
		if err == nil && name == "fd" {
			_, err = f.ReadDir(-1)
		}
		fmt.Println(name, err == nil)
	}
	return 0
}

// condition is an opener that writes down what it may do: whether it is dumpable,
// and its limits.
func condition(args []string) int {
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	limits, err2 := os.ReadFile("/proc/self/limits")
	text := fmt.Sprintf("dumpable %d\n%s", dumpable, limits)
	if err != nil || err2 != nil || os.WriteFile(args[0], []byte(text), 0o600) != nil {
		return 1
	}
	return 0
}

// somebody is a user without privileges, with a home and copies of the programs.
type somebody struct {
	home, payu, self string
	env              []string
	as               *syscall.SysProcAttr
}

func newSomebody(w *world) *somebody {
	w.t.Helper()
	if os.Getuid() != 0 {
		w.t.Skip("being another user needs root")
	}
	home, err := os.MkdirTemp("", "e2e")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = os.RemoveAll(home) })
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	s := &somebody{home: home, payu: filepath.Join(home, "payu-mcp"), self: filepath.Join(home, "self")}
	for to, from := range map[string]string{s.payu: binary, s.self: self} {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, data, 0o755)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := os.Chown(home, stranger, stranger); err != nil {
		w.t.Fatal(err)
	}
	s.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "PAYU_MCP_BROWSER=true"}
	s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger, NoSetGroups: true}}
	return s
}

// start runs a program that waits for its standard input to end, and returns when
// it has answered the first line.
func (s *somebody) start(w *world, line, program string, args ...string) *exec.Cmd {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), program, args...)
	cmd.Env, cmd.SysProcAttr, cmd.Stderr = s.env, s.as, w.sink("stderr of somebody's program")
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	if _, err := io.WriteString(stdin, line+"\n"); err != nil {
		w.t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 1)); err != nil {
		w.t.Fatalf("%s says nothing: %v", program, err)
	}
	return cmd
}

// sees lists what a process of the same user can open of pid.
func (s *somebody) sees(w *world, pid int) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), s.self, "peek", strconv.Itoa(pid))
	cmd.Env, cmd.SysProcAttr = s.env, s.as
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out)
}

const (
	allClosed = "environ false\nmem false\nmaps false\nauxv false\nfd false\n"
	pinging   = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
)

// Another program of the same user, who is not root, can read neither the memory
// nor the environment of a command of ours, whichever it is; of a program that is
// not ours it can.
//
//oauth:row X26 cmd/payu-mcp/harden_linux.go "unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)" => "unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)"
func TestHarden_sameUser_cannotReadMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, sb := newSomebody(w), startSandbox(t, sandbox.Options{})
	open := s.start(w, "secret", s.self, "leaky", "nothing")
	if seen := s.sees(w, open.Process.Pid); strings.Contains(seen, "false") {
		t.Fatalf("this system keeps other programs closed too, so nothing is shown:\n%s", seen)
	}
	bridge := s.start(w, pinging, s.payu, "--url", sb.Endpoint(), "--store=file")
	login := s.start(w, "", s.payu, "login", "--no-browser", "--url", sb.Endpoint(), "--store=file")
	for name, cmd := range map[string]*exec.Cmd{"bridge": bridge, "login": login} {
		if seen := s.sees(w, cmd.Process.Pid); seen != allClosed {
			t.Errorf("of the %s another process of the user can open:\n%s", name, seen)
		}
	}
}

// No core dump either, whatever was allowed when it was started; the browser gets
// back what the person's system allows.
//
//oauth:row X26 cmd/payu-mcp/harden_unix.go "limit.Cur = 0" => "limit.Cur = before"
func TestHarden_coreLimit_zeroHereAndTheBrowsersAsBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	told := w.path("logs", "condition")
	w.actor("condition", told)
	h := w.startBehind("sh", "-c", `ulimit -S -c 2000 && exec "$@"`, "sh", binary, "--url", sb.Endpoint(), "--store=file")
	h.initialize()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", h.cmd.Process.Pid))
	if soft, hard := coreLimits(limits); err != nil || soft != "0" || hard == "0" {
		t.Errorf("the bridge's limits are %s, %s (%v)", soft, hard, err)
	}
	h.begin("tools/call", healthCheck())
	var text []byte
	w.eventually("the browser tells", commandLimit, func() bool { text, err = os.ReadFile(told); return err == nil && len(text) > 0 })
	soft, _ := coreLimits(text)
	if blocks, _ := strconv.Atoi(soft); blocks == 0 || !bytes.HasPrefix(text, []byte("dumpable 1\n")) {
		t.Errorf("the browser may write cores of %s bytes: %.20s", soft, text)
	}
	h.end()
	w.nothingLeft()
}

func coreLimits(limits []byte) (soft, hard string) {
	m := regexp.MustCompile(`Max core file size +(\S+) +(\S+)`).FindSubmatch(limits)
	if m == nil {
		return "", ""
	}
	return string(m[1]), string(m[2])
}

// A crash with all goroutines, as somebody asks for it, leaves no core dump where
// another program's does.
func TestHarden_crash_leavesNoCore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.path("run")
	crash := func(program string, args ...string) syscall.WaitStatus {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `ulimit -S -c unlimited; cd "$0" && exec "$@"`, dir, program}, args...)...)
		cmd.Env = append(w.env, "GOTRACEBACK=crash")
		cmd.Stderr = w.sink("stderr of a crash")
		stdin, err1 := cmd.StdinPipe()
		stdout, err2 := cmd.StdoutPipe()
		if err := errors.Join(err1, err2, cmd.Start()); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(stdin, pinging+"\n")
		_, _ = stdout.Read(make([]byte, 1))
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		_ = cmd.Wait()
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		return status
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !crash(self, "leaky", "nothing").CoreDump() {
		t.Skip("this system writes no core dumps")
	}
	cores := func() int { files, _ := filepath.Glob(filepath.Join(dir, "core*")); return len(files) }
	before := cores()
	sb := startSandbox(t, sandbox.Options{})
	if status := crash(binary, "--url", sb.Endpoint(), "--store=file"); !status.Signaled() || status.CoreDump() || cores() != before {
		t.Errorf("the bridge ended with %v, core dump %v, %d files", status, status.CoreDump(), cores())
	}
}
