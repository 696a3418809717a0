package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// findLeaks returns the names of the sinks that hold one of the secrets, plain
// or in a usual encoding. It never tells the secret.
func findLeaks(secrets []string, sinks map[string][]byte) []string {
	var found []string
	for name, data := range sinks {
		for i, s := range secrets {
			if len(s) >= 8 && holdsSecret(data, s) {
				found = append(found, fmt.Sprintf("%s holds secret %d of %d", name, i+1, len(secrets)))
			}
		}
	}
	return found
}

func holdsSecret(data []byte, s string) bool {
	forms := []string{s, url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s))}
	for _, form := range forms {
		if bytes.Contains(data, []byte(form)) {
			return true
		}
	}
	return false
}

// leaks searches everything that this world let out: what programs printed,
// every file under its root (the sealed one too: sealed means not readable),
// argv and environment of all processes.
func (w *world) leaks(secrets []string) []string {
	w.t.Helper()
	sinks := w.watch.sinks()
	w.mu.Lock()
	for name, b := range w.sinks {
		sinks[name] = []byte(b.String())
	}
	w.mu.Unlock()
	err := filepath.WalkDir(w.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		sinks["file "+path] = data
		return err
	})
	if err != nil {
		w.t.Errorf("reading the files of the world: %v", err)
	}
	return findLeaks(secrets, sinks)
}

// noLeaks fails the test when a secret got out, or when there was none to look for.
func (w *world) noLeaks(secrets []string) {
	w.t.Helper()
	if len(secrets) < 3 {
		w.t.Errorf("only %d secrets to look for: the search proves nothing", len(secrets))
	}
	for _, l := range w.leaks(secrets) {
		w.t.Error(l)
	}
}

// leaky prints, writes and carries a secret, as its argument says, then waits
// for its standard input to end.
func leaky(args []string) int {
	secret, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	secret = strings.TrimSpace(secret)
	switch args[0] {
	case "stdout":
		fmt.Println("token", secret)
	case "stderr":
		fmt.Fprintln(os.Stderr, "code=", url.QueryEscape(secret))
	case "file":
		if err := os.WriteFile(args[1], []byte("x"+base64.StdEncoding.EncodeToString([]byte(secret))), 0o600); err != nil {
			return 1
		}
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

func TestLeaks_plantedInEachSink_areFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sink, where string }{
		{"stdout", "stdout of leaky"},
		{"stderr", "stderr of leaky"},
		{"file", "file "},
		{"argv", "argv of a process"},
		{"env", "environment of a process"},
		{"nothing", ""},
	} {
		t.Run(c.sink, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			secret := "planted+secret/0123456789" + c.sink // of its own: each watch sees all processes
			plant(w, c.sink, secret)
			found := w.leaks([]string{secret})
			switch {
			case c.where == "" && len(found) > 0:
				t.Errorf("found %v where nothing was planted", found)
			case c.where != "" && (len(found) == 0 || !strings.HasPrefix(found[0], c.where)):
				t.Errorf("found %v, want a leak in %q", found, c.where)
			}
		})
	}
}

// plant starts a process that leaks secret into sink and still runs on return.
func plant(w *world, sink, secret string) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	args := []string{"leaky", sink, w.path("logs", "planted.log")}
	if sink == "argv" {
		args = append(args, "--token="+secret)
	}
	cmd := exec.CommandContext(w.t.Context(), self, args...)
	cmd.Env = w.env
	if sink == "env" {
		cmd.Env = append(cmd.Env, "TOKEN="+secret)
	}
	cmd.Stderr = w.sink("stderr of leaky")
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		w.t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	_, _ = fmt.Fprintln(stdin, secret)
	out := w.sink("stdout of leaky")
	for lines := bufio.NewScanner(stdout); lines.Scan() && lines.Text() != "ready"; {
		_, _ = fmt.Fprintln(out, lines.Text())
	}
}
