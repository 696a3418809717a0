package keychain_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/keychain"
)

func TestUpdate_manyProcesses_noLostUpdate(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	var children []*exec.Cmd
	for range 4 {
		children = append(children, spawn(t, "count", dir))
	}
	for _, c := range children {
		must(t, c.Wait())
	}
	r, err := open(t, options(dir, newRing())).Load(t.Context())
	must(t, err)
	if n, err := counter(r); n != 200 || err != nil {
		t.Errorf("counter %d, %v; want 200", n, err)
	}
	h, _, _ := keychain.Peek(dir, profile, resource)
	if h.Generation != 200 {
		t.Errorf("generation %d", h.Generation)
	}
}

func TestUpdate_manyGoroutines_noLostUpdate(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	a, b := open(t, options(dir, r)), open(t, options(dir, r))
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			s := a
			if i%2 == 0 {
				s = b
			}
			if err := s.Update(t.Context(), increment); err != nil {
				t.Error(err)
			}
			if _, err := s.Load(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := a.Load(t.Context())
	must(t, err)
	if n, err := counter(got); n != 40 || err != nil {
		t.Errorf("counter %d, %v; want 40", n, err)
	}
}

// STYLE D5, OAUTH L3: whenever a writer is killed, the file is whole and the lock
// is free.
func TestUpdate_writerKilled_fileReadableLockFree(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	last := 0
	for round := range 12 {
		c := spawn(t, "write", dir)
		s := open(t, options(dir, newRing()))
		// Let it write some files, then kill it wherever it is.
		for target := last + 3 + round; last < target; {
			r, err := s.Load(t.Context())
			if err != nil {
				t.Fatalf("while it writes: %v", err)
			}
			if r != nil {
				n, err := counter(r)
				must(t, err)
				last = n
			}
		}
		must(t, c.Process.Kill())
		_ = c.Wait()
		r, err := s.Load(t.Context())
		if err != nil || r == nil {
			t.Fatalf("round %d: %v, %v", round, r, err)
		}
		n, err := counter(r)
		if err != nil || n < last {
			t.Fatalf("round %d: counter %d after %d, %v", round, n, last, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		must(t, s.Update(ctx, increment))
		cancel()
		last = n + 1
	}
	if got := dirNames(t, dir); got != ".json .key .lock" { // leftovers of killed writers are swept
		t.Errorf("files %q", got)
	}
}

func TestUpdate_holderKilled_lockComesAtOnce(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	c := spawn(t, "hold", dir)
	s := open(t, ofKind(dir, newRing(), keychain.KindFile))
	got := make(chan error, 1)
	go func() { got <- tryPut(t.Context(), s, "x") }()
	select {
	case err := <-got:
		t.Fatalf("the lock is not held: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	start := time.Now()
	must(t, c.Process.Kill(), <-got)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	_ = c.Wait()
}

// STYLE D2.
func TestUpdate_cancelWhileWaiting_endsSoon(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	c := spawn(t, "hold", dir)
	s := open(t, options(dir, newRing()))
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error, 2)
	for range cap(got) { // one waits for the OS lock, one for its turn
		go func() { got <- tryPut(ctx, s, "x") }()
	}
	select {
	case err := <-got:
		t.Fatalf("the lock is not held: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	start := time.Now()
	cancel()
	for range cap(got) {
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
	must(t, c.Process.Kill())
	_ = c.Wait()
}

// A process dies with an unsaved record: whoever takes the lock next tells.
func TestUpdate_noteOfDeadProcess_becomesLost(t *testing.T) {
	t.Parallel()
	dir, r, d := stateDir(t), newRing(), &disk{}
	s := unsavable(t, dir, r, d)
	lock := readFile(t, dir+"/"+base+".lock")
	_ = s.Close()
	must(t, os.WriteFile(dir+"/"+base+".lock", lock, 0o600)) // as if it had been killed
	log, text := capture()
	o := options(dir, r)
	o.Log = log
	next := open(t, o)
	same := func(_ context.Context, cur *keychain.Record) (*keychain.Record, error) { return cur, nil }
	must(t, next.Update(t.Context(), same))
	if _, note, _ := keychain.Peek(dir, profile, resource); !note.Lost || note.Unsaved || text() == "" {
		t.Errorf("note %+v, log %q", note, text())
	}
}

// OAUTH B3: a process is killed in the middle of a change, such as a refresh: the
// next one says so, and status until the login is written again.
func TestUpdate_killedInTheMiddle_nextSaysWhy(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	first := open(t, ofKind(dir, newRing(), keychain.KindFile))
	must(t, tryPut(t.Context(), first, "x"))
	if _, note, _ := keychain.Peek(dir, profile, resource); note != (keychain.Note{}) {
		t.Errorf("after a change: %+v", note)
	}
	c := spawn(t, "hold", dir)
	if _, note, _ := keychain.Peek(dir, profile, resource); !note.Changing || note.PID != c.Process.Pid {
		t.Errorf("during the change: %+v", note)
	}
	must(t, c.Process.Kill())
	_ = c.Wait()
	log, text := capture()
	o := ofKind(dir, newRing(), keychain.KindFile)
	o.Log = log
	next := open(t, o)
	same := func(_ context.Context, cur *keychain.Record) (*keychain.Record, error) { return cur, nil }
	for range 2 { // looking at it changes nothing
		must(t, next.Update(t.Context(), same))
		if _, note, _ := keychain.Peek(dir, profile, resource); !note.Cut || note.Changing || note.PID != c.Process.Pid && note.PID != os.Getpid() {
			t.Errorf("afterwards: %+v", note)
		}
	}
	if strings.Count(text(), "was killed while it changed the login") != 1 {
		t.Errorf("log %q", text())
	}
	must(t, tryPut(t.Context(), next, "y"))
	if _, note, _ := keychain.Peek(dir, profile, resource); note != (keychain.Note{}) {
		t.Errorf("after the next change: %+v", note)
	}
}
