package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// note is an opener that opens nothing: it writes the address down. The test
// plays the person.
func note(args []string) int {
	f, err := os.OpenFile(args[0], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, args[1]); err != nil {
		return 1
	}
	return 0
}

// stay is an opener that is the browser: it tells who it is and what it has
// open, and stays until somebody writes into the pipe that the test has made.
func stay(args []string) int {
	var b strings.Builder
	sid, _ := unix.Getsid(0)
	fmt.Fprintf(&b, "%d %d\n", os.Getpid(), sid)
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		fmt.Fprintln(&b, to)
	}
	if os.WriteFile(args[0]+".part", []byte(b.String()), 0o600) != nil || os.Rename(args[0]+".part", args[0]) != nil {
		return 1
	}
	_, _ = os.ReadFile(args[1])
	return 0
}

// group runs the program that its arguments name, as the first of a process
// group of its own, as hosts start servers.
func group(args []string) int {
	if unix.Setpgid(0, 0) != nil || unix.Exec(args[0], args, os.Environ()) != nil {
		return 1
	}
	return 0
}

// startGroup starts the bridge in a process group of its own.
func (w *world) startGroup(args ...string) *host {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.startBehind(self, append([]string{"group", binary}, args...)...)
}

// killGroup is a host that kills its server and all that belongs to it.
func (h *host) killGroup() {
	h.w.t.Helper()
	err := syscall.Kill(-h.cmd.Process.Pid, syscall.SIGKILL)
	if err != nil { // it has not become a group yet
		err = h.cmd.Process.Kill()
	}
	if err != nil {
		h.w.t.Fatal(err)
	}
}

// browser is where the addresses go that are opened.
func (w *world) browser() (opened func() []string) {
	file := w.path("logs", "opened")
	w.actor("note", file)
	return func() []string {
		data, _ := os.ReadFile(file)
		return strings.Fields(string(data))
	}
}

// visit is the person who signs in at an address that was opened.
func (w *world) visit(sb *sandbox.Sandbox, address string) {
	w.t.Helper()
	page, err := sandbox.Visitor{Client: sb.HTTPClient()}.Visit(w.t.Context(), address)
	if err != nil || page.Status != http.StatusOK {
		w.t.Errorf("the sign-in ended with %v, %d: %s", err, page.Status, page.Body)
	}
}

// newcomers are eight bridges in a world in which nobody is signed in.
func newcomers(t *testing.T) *crowd {
	t.Helper()
	w := newWorld(t)
	c := w.crowd(sandbox.Options{}, nil)
	c.launch = func() *host { return w.startGroup("--url", c.sb.Endpoint(), "--store=file") }
	return c
}

// Eight hosts call at the same moment, and nobody is signed in (OAUTH B4).
func TestSignIn_eightCallAtOnce_oneBrowserOneSignIn(t *testing.T) {
	t.Parallel()
	c := newcomers(t)
	opened := c.w.browser()
	c.start()
	c.open()
	answers := make(chan string, crowdSize)
	for _, m := range c.members {
		go func() { answers <- m.call(1) }()
	}
	told := map[string]int{}
	for range crowdSize - 1 { // all but the one that has it open
		told[<-answers]++
	}
	c.w.eventually("the browser is opened", answerLimit, func() bool { return len(opened()) > 0 })
	addresses := opened()
	if told[openElsewhere] != crowdSize-1 || len(addresses) != 1 {
		t.Fatalf("answers %v, addresses opened %q; want %d that were told, and one address", told, addresses, crowdSize-1)
	}
	c.w.visit(c.sb, addresses[0])
	if last := <-answers; last != answered {
		t.Errorf("the call that was held: %s", last)
	}
	c.callAll(2, answered)
	if n := len(opened()); n != 1 || c.signIns() != 1 {
		t.Errorf("%d addresses opened, %d sign-ins; want 1, 1", n, c.signIns())
	}
	c.stop()
	c.w.noLeaks(c.sb.Secrets())
}

// The bridge with the open sign-in is killed, and all of its process group. The
// person, who sees none of it, goes on in the same tab (OAUTH L10).
func TestSignIn_ownerKilled_nextTakesThePortAndTheTabCompletes(t *testing.T) {
	t.Parallel()
	c := newcomers(t)
	opened := c.w.browser()
	c.start()
	c.open()
	ends := map[*member]chan string{}
	for _, m := range c.members {
		end := make(chan string, 1)
		ends[m] = end
		go func() { end <- m.call(1) }()
	}
	var owner *member
	c.w.eventually("seven are told", answerLimit, func() bool {
		waiting := 0
		for m, end := range ends {
			if len(end) == 0 {
				owner, waiting = m, waiting+1
			}
		}
		return waiting == 1 && len(opened()) == 1
	})
	address := opened()[0]
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	release := c.sb.Hold(func(e sandbox.Entry) bool { return e.Method == http.MethodPost && e.Path == "/oauth/consent" })
	tab := make(chan struct{})
	go func() { defer close(tab); c.w.visit(c.sb, address) }()
	ctx, cancel := context.WithTimeout(t.Context(), answerLimit)
	defer cancel()
	if _, err := c.sb.Log().WaitFor(ctx, func(e sandbox.Entry) bool { return e.Path == "/oauth/consent" && e.Method == http.MethodPost }); err != nil {
		t.Fatal(err)
	}

	owner.host.killGroup()
	if what := <-ends[owner]; what != unsent {
		t.Errorf("the call of the killed bridge: %s", what)
	}
	killed := time.Now()
	c.w.eventually("the next bridge has the port", 5*time.Second, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at.Host)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	t.Logf("the port was taken over after %v", time.Since(killed))
	release()
	<-tab
	owner.host.gone(goneIdle)
	owner.start()
	owner.try("open", "initialize", initializing())
	c.callAll(2, answered)
	if n := len(opened()); n != 1 || c.signIns() != 1 {
		t.Errorf("%d addresses opened, %d sign-ins; want 1, 1", n, c.signIns())
	}
	c.stop()
	c.w.noLeaks(c.sb.Secrets())
}

// Hosts that only look whether a server starts, and kill it at once (HOSTS H17).
func TestSignIn_spawnAndKillProbes_openAndLeaveNothing(t *testing.T) {
	t.Parallel()
	for name, signedIn := range map[string]bool{"signed out": false, "signed in": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newcomers(t)
			if signedIn {
				c.w.visitor()
				c.w.must(c.w.payu("login", "--url", c.sb.Endpoint(), "--store=file"), 0)
			}
			opened, before := c.w.browser(), c.sb.Log().Len()
			const probes = 20
			for n := range probes {
				h := c.launch()
				h.begin("initialize", initializing())
				// Between 20 and 190 ms is what was measured; some are killed before they run.
				<-time.After(time.Duration(10*n) * time.Millisecond)
				if n%4 == 3 {
					_ = h.cmd.Process.Signal(syscall.SIGTERM)
				} else {
					h.killGroup()
				}
				h.gone(goneBusy)
			}
			c.w.nothingLeft()
			asked := c.sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts, After: before})
			if n := len(opened()); n != 0 || asked != 0 {
				t.Errorf("%d addresses opened, %d requests at the authorization server", n, asked)
			}
		})
	}
}

// A browser that was opened for a sign-in is the person's from then on.
func TestSignIn_browser_survivesTheKillAndHasNoneOfOurPipes(t *testing.T) {
	t.Parallel()
	needRootsEyes(t)
	c := newcomers(t)
	told, end := c.w.path("logs", "browser"), c.w.path("run", "end")
	if err := unix.Mkfifo(end, 0o600); err != nil {
		t.Fatal(err)
	}
	c.w.actor("stay", told, end)
	h := c.launch()
	h.initialize()
	h.begin("tools/call", map[string]any{"name": "health_check", "arguments": map[string]any{}})
	c.w.eventually("the browser is there", answerLimit, func() bool { _, err := os.Stat(told); return err == nil })
	text, err := os.ReadFile(told)
	first, fds, _ := strings.Cut(string(text), "\n")
	pid, sid, _ := strings.Cut(first, " ")
	browser, convErr := strconv.Atoi(pid)
	session, sidErr := unix.Getsid(h.cmd.Process.Pid)
	if err != nil || convErr != nil || sidErr != nil {
		t.Fatal(err, convErr, sidErr)
	}
	if sid == strconv.Itoa(session) {
		t.Error("the browser is in the bridge's session")
	}
	for fd := range 3 {
		pipe, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", h.cmd.Process.Pid, fd))
		if err != nil || !strings.HasPrefix(pipe, "pipe:") || strings.Contains(fds, pipe) {
			t.Errorf("file %d of the bridge is %s (%v); the browser has\n%s", fd, pipe, err, fds)
		}
	}
	h.killGroup()
	h.gone(goneIdle) // its pipes have ended: nobody else has them
	if err := syscall.Kill(browser, 0); err != nil {
		t.Errorf("the browser has gone with the bridge: %v", err)
	}
	if err := exec.CommandContext(t.Context(), "sh", "-c", `echo > "$0"`, end).Run(); err != nil {
		t.Error(err)
	}
	c.w.nothingLeft()
}
