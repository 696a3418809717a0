package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hostileLimit is how much memory bad bytes may make the bridge hold (RELAY
// B10), in KiB: 100 MB.
const hostileLimit = 100_000_000 >> 10

// pipes is a host that holds the bridge's pipes in its own hands.
type pipes struct {
	w   *world
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (w *world) startPipes(args ...string) *pipes {
	w.t.Helper()
	p := &pipes{w: w, cmd: exec.CommandContext(w.t.Context(), binary, args...)}
	p.cmd.Env, p.cmd.Stderr, p.cmd.WaitDelay = w.env, w.sink("stderr of the bridge"), 5*time.Second
	var err1, err2 error
	p.in, err1 = p.cmd.StdinPipe()
	out, err2 := p.cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		w.t.Fatal(err1, err2)
	}
	p.out = bufio.NewReaderSize(out, mib)
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = p.in.Close(); _ = out.Close(); _ = p.cmd.Wait() })
	return p
}

// line sends parts as one line.
func (p *pipes) line(parts ...string) {
	p.w.t.Helper()
	for _, part := range append(parts, "\n") {
		if _, err := io.WriteString(p.in, part); err != nil {
			p.w.t.Fatalf("writing to the bridge: %v", err)
		}
	}
}

// next reads one message.
func (p *pipes) next() message {
	p.w.t.Helper()
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		p.w.t.Fatalf("reading from the bridge: %v\n%s", err, p.w.bridgeSaid())
	}
	m, err := wellFormed(line)
	if err != nil {
		p.w.t.Fatalf("%.200s: %v", line, err)
	}
	return m
}

// fails reads one message, which must be an error of ours for the id.
func (p *pipes) fails(id, kind string) {
	p.w.t.Helper()
	m := p.next()
	var e struct{ Data struct{ Source, Kind string } }
	if err := json.Unmarshal(m.Error, &e); err != nil || string(m.ID) != id || e.Data.Source != "payu-mcp" || e.Data.Kind != kind {
		p.w.t.Errorf("answer to %s: %s %s%s, want the error %s", id, m.ID, m.Error, m.Result, kind)
	}
}

// fine checks that the next call works.
func (p *pipes) fine() {
	p.w.t.Helper()
	p.line(`{"jsonrpc":"2.0","id":"fine","method":"ping"}`)
	if m := p.next(); string(m.ID) != `"fine"` || m.Error != nil {
		p.w.t.Errorf("the next call: %s %s", m.ID, m.Error)
	}
}

// stalls waits until the server can write no more: the host does not read.
func (p *pipes) stalls(s *hostile) {
	p.w.t.Helper()
	last, still := int64(-1), 0
	p.w.eventually("the server has to wait", answerLimit, func() bool {
		now := s.sent.Load()
		if still++; now != last || now == 0 {
			last, still = now, 0
		}
		return still >= 10 // half a second without a byte
	})
}

// Bad bytes are skipped or refused at a bounded cost in memory, whoever sends
// them, and the next call works (RELAY B4, B10, B11).
func TestBadBytes_memory_staysBounded(t *testing.T) {
	t.Parallel()
	filler := strings.Repeat("a", mib)
	for name, do := range map[string]func(*pipes, *hostile){
		"line of 100 MB": func(p *pipes, _ *hostile) {
			for range 3 {
				p.line(append([]string{`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"`}, append(repeat(filler, 100), `"}}`)...)...)
				p.fails("1", "bad_message")
			}
		},
		"JSON of 100 MB":      func(p *pipes, _ *hostile) { p.asks("x/json-long", "too_large", 3) },
		"event of 100 MB":     func(p *pipes, _ *hostile) { p.asks("x/event-long", "too_large", 3) },
		"gzip bomb in JSON":   func(p *pipes, _ *hostile) { p.asks("x/json-bomb", "too_large", 3) },
		"gzip bomb in events": func(p *pipes, _ *hostile) { p.asks("x/sse-bomb", "too_large", 3) },
		"endless header":      func(p *pipes, _ *hostile) { p.asks("x/header", "unknown_outcome", 3) },
		"flood of notifications, host reads late": func(p *pipes, s *hostile) {
			p.line(`{"jsonrpc":"2.0","id":1,"method":"x/flood"}`)
			p.stalls(s)
			for i := range floodSize {
				if line, err := p.out.ReadSlice('\n'); err != nil || !strings.Contains(string(line), fmt.Sprintf(`"n":%d,`, i)) {
					t.Fatalf("notification %d: %s %v", i, line, err)
				}
			}
			if m := p.next(); string(m.ID) != "1" {
				t.Errorf("after the flood: %s", m.ID)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := startHostile(t)
			p := w.startPipes("--url", s.URL)
			do(p, s)
			p.fine()
			p.within(hostileLimit)
		})
	}
}

// A host that never reads makes the server wait; nothing piles up, and the
// bridge still ends in time.
func TestBadBytes_hostNeverReads_serverWaitsAndTheEndComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := startHostile(t)
	p := w.startPipes("--url", s.URL)
	p.line(`{"jsonrpc":"2.0","id":1,"method":"x/flood"}`)
	p.stalls(s)
	p.within(hostileLimit)
	_ = p.in.Close()
	over := make(chan struct{})
	go func() { defer close(over); _, _ = p.cmd.Process.Wait() }()
	select {
	case <-over:
	case <-time.After(goneBusy):
		t.Error("the bridge waits for a host that does not read")
	}
	w.nothingLeft()
}

// asks sends a request again and again; it must fail each time.
func (p *pipes) asks(method, kind string, times int) {
	p.w.t.Helper()
	for id := range times {
		p.line(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q}`, id, method))
		p.fails(strconv.Itoa(id), kind)
	}
}

// within checks the most memory that the bridge ever held.
func (p *pipes) within(limit int) {
	p.w.t.Helper()
	kib := residentKiB(p.w.t, p.cmd.Process.Pid)
	p.w.t.Logf("resident memory: %d KiB", kib)
	if os.Getenv("E2E_RACE") == "" && kib > limit {
		p.w.t.Errorf("the bridge held %d KiB, limit %d", kib, limit)
	}
}

func repeat(s string, times int) []string {
	all := make([]string, times)
	for i := range all {
		all[i] = s
	}
	return all
}
