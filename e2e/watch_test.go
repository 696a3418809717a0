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

// watch reads argv and environment of every descendant of this process, again
// and again while a test runs: what any user of the computer could see (X9), and
// what a core dump or a crash reporter would keep.
type watch struct {
	mu        sync.Mutex
	argv, env map[string]struct{}
	stop      chan struct{}
	done      chan struct{}
}

func startWatch(t *testing.T) *watch {
	t.Helper()
	w := &watch{argv: map[string]struct{}{}, env: map[string]struct{}{}, stop: make(chan struct{}), done: make(chan struct{})}
	go w.loop()
	t.Cleanup(func() { close(w.stop); <-w.done })
	return w
}

func (w *watch) loop() {
	defer close(w.done)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
			w.look()
		}
	}
}

// look samples once.
func (w *watch) look() {
	for _, pid := range descendants(os.Getpid()) {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		argv, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		w.mu.Lock()
		w.argv[string(argv)], w.env[string(env)] = struct{}{}, struct{}{}
		w.mu.Unlock()
	}
}

// sinks returns all that was seen.
func (w *watch) sinks() map[string][]byte {
	w.look()
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
