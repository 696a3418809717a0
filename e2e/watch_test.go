package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// watch collects argv and environment of every descendant of this process while
// a test runs: what any user of the computer could see (X9), and what a core dump
// or a crash reporter would keep.
type watch struct {
	mu        sync.Mutex
	argv, env map[string]struct{}
}

// needRootsEyes skips a test that looks into processes of payu-mcp. They hide files,
// environment and memory from the user who started them, too (harden), but not from
// root. What others do in passing (this watch, nothingLeft) sees less without root.
func needRootsEyes(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("it looks into processes of payu-mcp, which hide from everybody but root")
	}
}

// watches are those of the tests that run now. One look at the processes, again
// and again, serves them all: each takes milliseconds of a small machine.
type watches struct {
	mu      sync.Mutex
	all     map[*watch]struct{}
	looking bool
}

var watching = watches{all: map[*watch]struct{}{}}

func startWatch(t *testing.T) *watch {
	t.Helper()
	w := &watch{argv: map[string]struct{}{}, env: map[string]struct{}{}}
	watching.add(w)
	t.Cleanup(func() { watching.remove(w) })
	return w
}

func (ws *watches) add(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.all[w] = struct{}{}
	if !ws.looking {
		ws.looking = true
		go ws.loop() // ends with the last watch
	}
}

func (ws *watches) remove(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, w)
}

func (ws *watches) loop() {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		ws.look()
		if ws.idle() {
			return
		}
	}
}

// idle tells that nobody watches, and then the loop ends.
func (ws *watches) idle() bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.looking = len(ws.all) > 0
	return !ws.looking
}

// look samples once.
func (ws *watches) look() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, pid := range descendants(os.Getpid()) {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		argv, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		for w := range ws.all {
			w.add(string(argv), string(env))
		}
	}
}

func (w *watch) add(argv, env string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.argv[argv], w.env[env] = struct{}{}, struct{}{}
}

// sinks returns all that was seen.
func (w *watch) sinks() map[string][]byte {
	watching.look()
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string][]byte{"argv of a process": joined(w.argv), "environment of a process": joined(w.env)}
}

func joined(set map[string]struct{}) []byte {
	var b bytes.Buffer
	for s := range set {
		b.WriteString(s)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func descendants(root int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		// pid (name) state ppid: the name may hold anything, so count from its end.
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(fields) > 1 {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
		}
	}
	var found []int
	for next := children[root]; len(next) > 0; next = next[1:] {
		found = append(found, next[0])
		next = append(next, children[next[0]]...)
	}
	return found
}
