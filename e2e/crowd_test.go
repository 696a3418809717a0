package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

const (
	crowdSize = 8
	crowdPace = 20 * time.Millisecond // from one call of a host to the next
)

// crowd is eight bridges of one person that share a login.
type crowd struct {
	w       *world
	sb      *sandbox.Sandbox
	faults  *fault.Injector
	since   int // requests until the login was there
	launch  func() *host
	pace    time.Duration
	limit   time.Duration // for the end of a bridge
	slow    bool          // a call may take longer than it gets at the end of its bridge
	members []*member
	down    chan *member // those whose bridge has ended

	mu    sync.Mutex
	lives int
	tally map[string]int // calls, by what became of them
}

// member is one host and the bridge that it has now.
type member struct {
	crowd *crowd
	host  *host
	name  string // of this life

	opened chan struct{} // closes when the session is there
	mu     sync.Mutex
	ending string // how the host ended it; it asks for nothing more
	over   chan struct{}
}

// What became of a call.
const (
	answered   = "answered with PayU's result"
	unsent     = "lost with a killed bridge"
	unanswered = "unanswered by a bridge that was asked to end"
	// openElsewhere and waitsForSignIn: the host got a text that says so.
	openElsewhere  = "told that a sign-in is open already"
	waitsForSignIn = "told that nobody is signed in"
	cutShort       = "cancelled unsent, because its bridge had ended for two seconds"
	overtaken      = "not read, because a SIGTERM overtook it" // it did not run, and its host was leaving
)

// startCrowd signs in once and starts eight bridges.
func startCrowd(t *testing.T, o sandbox.Options) *crowd {
	t.Helper()
	w := newWorld(t)
	w.actor("reload")
	c := w.crowd(o, func() *host { return w.startHost() })
	w.must(w.payu("login", "--url", c.sb.Endpoint(), "--store=file"), 0)
	c.start()
	return c
}

// crowd is one that has not started yet, at a sandbox of its own.
func (w *world) crowd(o sandbox.Options, launch func() *host) *crowd {
	w.t.Helper()
	c := &crowd{w: w, faults: &fault.Injector{}, launch: launch, pace: crowdPace, limit: goneRefresh, down: make(chan *member, crowdSize), tally: map[string]int{}}
	o.Wrap = c.faults.Wrap
	c.sb = startSandbox(w.t, o)
	return c
}

// start starts the bridges.
func (c *crowd) start() {
	c.w.t.Helper()
	c.since = c.sb.Log().Len()
	for range crowdSize {
		m := &member{crowd: c}
		c.members = append(c.members, m)
		m.start()
	}
}

// start gives the member a new bridge.
func (m *member) start() {
	m.crowd.w.t.Helper()
	m.crowd.lives++
	m.name = "life" + strconv.Itoa(m.crowd.lives)
	m.ending, m.over, m.opened = "", make(chan struct{}), make(chan struct{})
	m.host = m.crowd.launch()
}

// live opens the session and calls again and again, until the bridge has ended
// or stop closes.
func (m *member) live(stop <-chan struct{}) {
	defer func() { close(m.over); m.crowd.down <- m }()
	tick := time.NewTicker(m.crowd.pace)
	defer tick.Stop()
	if what := m.try("open", "initialize", initializing()); what != answered {
		m.crowd.count("opening: " + what)
	}
	close(m.opened)
	for n := 1; ; n++ {
		select {
		case <-stop:
			return
		case <-m.host.ended:
			return
		case <-tick.C:
		}
		if what := m.call(n); what != "" {
			m.crowd.count(what)
		}
	}
}

// call makes the n-th call of a life and tells what became of it; "" when the
// host no longer asks.
func (m *member) call(n int) string {
	return m.try(strconv.Itoa(n), "tools/call", map[string]any{"name": "health_check", "arguments": map[string]any{}})
}

// try sends a request. Unlike host.ask it may run on any goroutine.
func (m *member) try(id, method string, params any) string {
	id = m.name + "-" + id
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil {
		return err.Error()
	}
	answer := make(chan message, 1)
	h := m.host
	m.mu.Lock()
	if m.ending != "" {
		m.mu.Unlock()
		return ""
	}
	h.mu.Lock()
	h.wait[strconv.Quote(id)] = answer
	h.mu.Unlock()
	_, err = h.stdin.Write(append(line, '\n'))
	m.mu.Unlock()
	if err != nil {
		return unsent // it was killed before it could read
	}
	select {
	case <-time.After(answerLimit):
		return "not answered within a minute"
	case a := <-answer:
		return m.became(id, a)
	case <-h.ended:
	}
	select {
	case a := <-answer: // it came before the end
		return m.became(id, a)
	default:
	}
	return m.lost(id)
}

// became is what an answer says about its call.
func (m *member) became(id string, a message) string {
	if strings.Contains(string(a.Error), "payu-mcp is closing") { // read too late to be sent
		return m.lost(id)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ending != "" && strings.Contains(string(a.Error), `"kind":"cancelled"`) && !m.crowd.ran(id) {
		return cutShort
	}
	return whatBecame(a)
}

func whatBecame(a message) string {
	var r toolResult
	switch {
	case a.Error != nil:
		return "error: " + string(a.Error)
	case json.Unmarshal(a.Result, &r) != nil:
		return "no result: " + string(a.Result)
	case r.IsError && strings.Contains(string(a.Result), "A PayU sign-in is open already"):
		return openElsewhere
	case r.IsError && strings.Contains(string(a.Result), "Nobody is signed in to PayU"):
		return waitsForSignIn
	case r.IsError:
		return "result that is an error: " + string(a.Result)
	}
	return answered
}

// lost says what became of a call whose bridge is gone. A bridge that is asked
// to end answers what it has read, and at the end of its input that is all.
func (m *member) lost(id string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.ending == "":
		return unsent
	case m.ending == bySignal && !m.crowd.ran(id):
		return overtaken
	}
	return unanswered
}

// ran reports whether a call has reached the server.
func (c *crowd) ran(id string) bool {
	return slices.ContainsFunc(c.sb.Log().Entries(), func(e sandbox.Entry) bool { return e.ID == strconv.Quote(id) })
}

func (c *crowd) count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally[what]++
}

// The ways in which a host ends its bridge.
const (
	byEOF    = "EOF"
	bySignal = "SIGTERM"
)

// end asks the bridge to end and waits until it has, with
// exit code 0.
func (m *member) end(how string) {
	t := m.crowd.w.t
	t.Helper()
	<-m.opened // one that has just begun may need longer than it gets at its end
	m.mu.Lock()
	m.ending = how
	var err error
	if how == byEOF {
		err = m.host.stdin.Close()
	} else {
		err = m.host.cmd.Process.Signal(syscall.SIGTERM)
	}
	m.mu.Unlock()
	if err != nil {
		t.Errorf("%s: %v", how, err)
	}
	if code := m.host.gone(m.crowd.limit); code != 0 {
		t.Errorf("a bridge that was ended by %s ended with %d", how, code)
	}
	<-m.over
}

// stop ends the bridges that are left and looks for what they leave.
func (c *crowd) stop() {
	c.w.t.Helper()
	for _, m := range c.members {
		m.host.end()
	}
	c.w.nothingLeft() // of the processes of this system
}

// all lets each member do something at the same time and waits for them.
func (c *crowd) all(do func(*member)) {
	var wg sync.WaitGroup
	for _, m := range c.members {
		wg.Go(func() { do(m) })
	}
	wg.Wait()
}

// open makes all sessions, for tests that call by hand.
func (c *crowd) open() {
	c.w.t.Helper()
	c.all(func(m *member) {
		if what := m.try("open", "initialize", initializing()); what != answered {
			c.w.t.Errorf("opening: %s", what)
		}
	})
}

// callAll lets each member make one call, named by round, and wants each to
// become one of may.
func (c *crowd) callAll(round int, may ...string) {
	c.w.t.Helper()
	c.all(func(m *member) {
		if what := m.call(round); !slices.Contains(may, what) {
			c.w.t.Errorf("%s, call %d: %s", m.name, round, what)
		}
	})
}

// Requests at the token endpoint since the login.

func (c *crowd) refreshes() []sandbox.Entry {
	return c.sb.Log().Find(sandbox.Query{Grant: "refresh_token", After: c.since})
}

func (c *crowd) signIns() int {
	return c.sb.Log().Count(sandbox.Query{Grant: "authorization_code", After: c.since})
}

func count(entries []sandbox.Entry, status int) int {
	n := 0
	for i := range entries {
		if entries[i].Status == status {
			n++
		}
	}
	return n
}

// refresher is the process that holds the lock of the stored login, 0 if none.
// The system tells who holds which lock (proc(5), /proc/locks).
func (c *crowd) refresher() int {
	c.w.t.Helper()
	files, _ := filepath.Glob(filepath.Join(c.w.state, "credential-*.lock"))
	locks, err := os.ReadFile("/proc/locks")
	if err != nil || len(files) == 0 {
		c.w.t.Errorf("looking for the holder of the lock: %v, %q", err, files)
		return 0
	}
	var st unix.Stat_t
	if err := unix.Stat(files[0], &st); err != nil {
		c.w.t.Errorf("looking for the holder of the lock: %v", err)
		return 0
	}
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	for line := range bytes.Lines(locks) {
		// 1: FLOCK  ADVISORY  WRITE 4711 fe:00:131090 0 EOF; "->" waits
		f := strings.Fields(string(line))
		if len(f) > 5 && f[1] == "FLOCK" && f[5] == file {
			pid, _ := strconv.Atoi(f[4])
			return pid
		}
	}
	return 0
}
