//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// until waits until ready says so.
func until(t *testing.T, what string, limit time.Duration, ready func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for !ready() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// opened waits for what the lasting browser saw.
func (c *computer) opened(file string) opening {
	c.t.Helper()
	var o opening
	until(c.t, "the browser", 20*time.Second, func() bool {
		b, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(b, &o) == nil
	})
	c.t.Cleanup(func() { _ = syscall.Kill(o.PID, syscall.SIGKILL) })
	return o
}

// firstPage opens url in a browser that does not go on yet.
func firstPage(t *testing.T, url string) (browser *http.Client, next string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Jar: jar, CheckRedirect: stop}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusFound {
		t.Fatalf("the start page answers %d", res.StatusCode)
	}
	return &http.Client{Jar: jar}, res.Header.Get("Location")
}

// OAUTH B4, HOSTS P10, section 5: the process that has the sign-in open is killed
// with its whole group. The browser lives on and has none of its pipes; the next
// process binds the port within 5 s; the tab that was open completes.
func TestLogin_killedWhileOpen_nextProcessCompletesTheTab(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	seen := filepath.Join(c.home, "opened.json")
	c.opener = "lasting-browser " + seen
	cmd := c.command("login", "--url", c.sandbox.Endpoint())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, ours := hostPipes(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	closeChildEnds(t, cmd)
	o := c.opened(seen)
	browser, next := firstPage(t, o.URL)
	killed := time.Now()
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// The end of its pipe comes although the browser lives.
	if _, err := io.ReadAll(stdout); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if err := syscall.Kill(o.PID, 0); err != nil {
		t.Errorf("the browser died with it: %v", err)
	}
	for _, fd := range o.FDs {
		if slices.Contains(ours, fd) {
			t.Errorf("the browser has %s of the host's", fd)
		}
	}

	sibling := c.sibling()
	done := make(chan error, 1)
	go func() { done <- sibling.auth.Await(t.Context()) }()
	address := strings.Split(o.URL, "/")[2]
	until(t, "the port", 5*time.Second, func() bool { return listening(t, address) })
	t.Logf("the next process has the port %v after the kill", time.Since(killed).Round(time.Millisecond))
	page, err := sandbox.Visitor{User: "A", Client: browser}.Visit(t.Context(), next)
	if err != nil || !strings.Contains(page.Body, "You are signed in") {
		t.Fatalf("the tab ends with %v: %s", err, page.Body)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := sibling.close(t.Context()); err != nil {
		t.Error(err)
	}
	if out, err := c.command("status", "--url", c.sandbox.Endpoint()).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("valid")) {
		t.Errorf("status: %v\n%s", err, out)
	}
	if n := c.sandbox.Log().Count(sandbox.Query{Path: "/register"}); n != 1 {
		t.Errorf("%d registrations", n)
	}
}

// hostPipes gives cmd three pipes, as a host does, and returns their names in
// /proc and where its output comes out.
func hostPipes(t *testing.T, cmd *exec.Cmd) (stdout io.Reader, names []string) {
	t.Helper()
	var reads []*os.File
	for range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(r.Fd())))
		if err != nil {
			t.Skip("no /proc here")
		}
		names = append(names, name)
		reads = append(reads, r)
		t.Cleanup(func() { _, _ = r.Close(), w.Close() })
		switch len(reads) {
		case 1:
			cmd.Stdin = r
		case 2:
			cmd.Stdout = w
		default:
			cmd.Stderr = w
		}
	}
	return reads[1], names
}

func closeChildEnds(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	for _, end := range []any{cmd.Stdout, cmd.Stderr} {
		if f, ok := end.(*os.File); ok {
			_ = f.Close()
		}
	}
}

// listening looks into the kernel's table, so that nothing is connected.
func listening(t *testing.T, address string) bool {
	t.Helper()
	_, text, _ := strings.Cut(address, ":")
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Skip("no /proc here")
	}
	want := "0100007F:" + strings.ToUpper(strconv.FormatInt(int64(0x10000+port), 16)[1:])
	return slices.ContainsFunc(strings.Split(string(b), "\n"), func(line string) bool {
		f := strings.Fields(line)
		return len(f) > 3 && f[1] == want && f[3] == "0A"
	})
}

// The child that opens the browser gets the whole address although the program
// is killed at once: it stands in the pipe before the child starts.
func TestOpener_killedAtOnce_childHasTheAddress(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	seen := filepath.Join(c.home, "opened.json")
	cmd := exec.CommandContext(t.Context(), "open-and-die", seen)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, auth.OpenerEnv + "=lasting-browser " + seen}
	if err := cmd.Run(); err == nil {
		t.Fatal("it did not die")
	}
	if o := c.opened(seen); o.URL != "https://h.example/where?to=go" {
		t.Errorf("the browser got %q", o.URL)
	}
}

// HOSTS section 1: no text browser, whatever the environment says.
func TestLogin_textBrowsers_neverGetThePage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  []string
		want string // BROWSER of xdg-open; "": it is not started
	}{
		"no display":                  {nil, ""},
		"no display, text browser":    {[]string{"BROWSER=w3m"}, ""},
		"over SSH":                    {[]string{"SSH_CONNECTION=1", "BROWSER=www-browser:lynx"}, ""},
		"display":                     {[]string{"DISPLAY=:99"}, "x-www-browser:firefox"},
		"display, text browser":       {[]string{"DISPLAY=:99", "BROWSER=w3m:links2 %s"}, "x-www-browser:firefox"},
		"no display, graphical first": {[]string{"BROWSER=chromium:w3m"}, "chromium"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pc := newComputer(t, sandbox.Options{})
			bin, seen := filepath.Join(pc.home, "bin"), filepath.Join(pc.home, "seen")
			writeProgram(t, bin, "xdg-open", "echo \"$BROWSER\" > "+seen)
			for _, text := range []string{"www-browser", "w3m", "links2", "lynx"} {
				writeProgram(t, bin, text, "echo text > "+seen)
			}
			cmd := pc.command("login", "--url", pc.sandbox.Endpoint(), "--time-limit", "3s")
			// Over SSH no desktop is looked for, which this computer may have.
			cmd.Env = append(append(cmd.Env, "PATH="+bin, "PAYU_MCP_BROWSER=", "SSH_TTY=/dev/pts/0"), c.env...)
			out, _ := cmd.CombinedOutput()
			got, err := os.ReadFile(seen)
			if c.want == "" {
				if err == nil || !bytes.Contains(out, []byte("no browser can be opened here")) || !bytes.Contains(out, []byte("--no-browser")) {
					t.Errorf("opened with %q:\n%s", got, out)
				}
				return
			}
			if !strings.HasPrefix(string(got), c.want) || strings.Contains(string(got), "w3m") {
				t.Errorf("BROWSER %q, %v\n%s", got, err, out)
			}
		})
	}
}

func writeProgram(t *testing.T, dir, name, script string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}
