package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// stack is oidc-provider and server-everything behind the token-checking proxy,
// all in one Node process (npm/stack.mjs).
type stack struct {
	Issuer         string
	Endpoint       string
	ClientDocument string // address of a client id metadata document that the provider can fetch

	mu     sync.Mutex
	events []stackEvent
}

// stackEvent is one request at the token, registration, revocation or device
// authorization endpoint ("token", "registration", "revocation",
// "device_authorization") or at the resource ("accepted", "refused").
type stackEvent struct {
	Event, Grant, Error, Scope, Tool, Reason, Access, Refresh, Client string
	Status                                                            int
	Secrets                                                           []string
}

func (w *world) startStack(accessLife time.Duration) *stack {
	w.t.Helper()
	// Not the test's context: it ends before the clean-up, and a killed Node
	// would leave server-everything behind.
	cmd := exec.CommandContext(context.WithoutCancel(w.t.Context()), node, filepath.Join(npmDir, "stack.mjs"))
	cmd.Env = append(slices.Clone(w.env), "ACCESS_LIFE="+strconv.Itoa(int(accessLife.Seconds())))
	cmd.WaitDelay = 5 * time.Second
	errs := &buffer{}
	cmd.Stderr = errs
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		w.t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	s, lines := &stack{}, bufio.NewScanner(stdout)
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), s) != nil || s.Endpoint == "" {
		w.t.Fatalf("the stack did not start:\n%s", errs)
	}
	read := make(chan struct{})
	go func() { defer close(read); s.read(lines) }()
	w.t.Cleanup(func() { _ = stdin.Close(); <-read; _ = cmd.Wait() })
	return s
}

func (s *stack) read(lines *bufio.Scanner) {
	for lines.Scan() {
		var e stackEvent
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			s.mu.Lock()
			s.events = append(s.events, e)
			s.mu.Unlock()
		}
	}
}

// seen returns the events that match.
func (s *stack) seen(match func(stackEvent) bool) []stackEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.events), func(e stackEvent) bool { return !match(e) })
}

func (s *stack) granted(grant string) []stackEvent {
	return s.seen(func(e stackEvent) bool { return e.Event == "token" && e.Grant == grant && e.Status == 200 })
}

// secrets lists every token, code, verifier and client secret that was seen.
func (s *stack) secrets() []string {
	var all []string
	for _, e := range s.seen(func(stackEvent) bool { return true }) {
		all = append(all, e.Secrets...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
