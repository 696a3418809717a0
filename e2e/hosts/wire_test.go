package hosts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// record is one line of the wire's file.
type record struct {
	At   time.Time `json:"at"`
	PID  int       `json:"pid"`  // of the program in between: one for each start of the bridge
	From string    `json:"from"` // host, bridge, stderr or tee
	Line string    `json:"line"`
}

// message is a record that is JSON-RPC.
type message struct {
	record

	ID     json.RawMessage
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  json.RawMessage
}

// tee runs the bridge and writes down every line that passes, in the file that
// all starts of one test share. It passes signals on, as if it were not there.
func tee(file string, command []string) int {
	to, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	defer to.Close()
	note := func(from, line string) {
		data, _ := json.Marshal(record{time.Now(), os.Getpid(), from, line})
		_, _ = to.Write(append(data, '\n')) // one write: lines of several processes do not mix
	}
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	stderr, err3 := cmd.StderrPipe()
	if err1 != nil || err2 != nil || err3 != nil || cmd.Start() != nil {
		return 1
	}
	note("tee", "started; variables: "+names(os.Environ()))
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		for s := range signals {
			note("tee", "signal: "+s.String())
			_ = cmd.Process.Signal(s)
		}
	}()
	go func() { copyLines(stdin, os.Stdin, "host", note); note("tee", "end of input"); _ = stdin.Close() }()
	var open sync.WaitGroup
	open.Go(func() { copyLines(os.Stdout, stdout, "bridge", note) })
	open.Go(func() { copyLines(os.Stderr, stderr, "stderr", note) })
	open.Wait()
	_ = cmd.Wait()
	note("tee", "ended: "+cmd.ProcessState.String())
	return max(cmd.ProcessState.ExitCode(), 0)
}

func copyLines(to io.Writer, from io.Reader, name string, note func(from, line string)) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			note(name, string(bytes.TrimSuffix(line, []byte("\n"))))
			_, _ = to.Write(line)
		}
		if err != nil {
			return
		}
	}
}

func names(env []string) string {
	for i, v := range env {
		env[i], _, _ = strings.Cut(v, "=")
	}
	return strings.Join(env, " ")
}

// records reads the wire's file as it is now.
func (c *computer) records() []record {
	data, _ := os.ReadFile(c.wireFile())
	var all []record
	for line := range bytes.Lines(data) {
		var r record
		if json.Unmarshal(line, &r) == nil {
			all = append(all, r)
		}
	}
	return all
}

func (c *computer) wireFile() string { return c.path("wire.jsonl") }

// messages returns what passed since the mark; from is host or bridge, and
// method "" selects all.
func (c *computer) messages(since int, from, method string) []message {
	var found []message
	for _, r := range c.records()[since:] {
		m := message{record: r}
		if r.From != from || json.Unmarshal([]byte(r.Line), &m) != nil || method != "" && m.Method != method {
			continue
		}
		found = append(found, m)
	}
	return found
}

// mark is a place in the record: what comes later is since it.
func (c *computer) mark() int { return len(c.records()) }

// answer returns the bridge's answer to a request of the host, "" while there is none.
func (c *computer) answer(to message) message {
	for _, m := range c.messages(0, "bridge", "") {
		if m.PID == to.PID && m.Method == "" && bytes.Equal(m.ID, to.ID) && m.At.After(to.At) {
			return m
		}
	}
	return message{}
}

// toolNames reads the names out of a result of tools/list.
func toolNames(result json.RawMessage) []string {
	var r struct{ Tools []struct{ Name string } }
	_ = json.Unmarshal(result, &r)
	found := make([]string, 0, len(r.Tools))
	for _, t := range r.Tools {
		found = append(found, t.Name)
	}
	return found
}

const shownBytes = 420

// transcript is the record for people.
func (c *computer) transcript() string {
	var b strings.Builder
	all := c.records()
	for _, r := range all {
		arrow := map[string]string{"host": "host   -> ", "bridge": "bridge <- ", "stderr": "stderr    ", "tee": "-- "}[r.From]
		line := r.Line
		if len(line) > shownBytes {
			line = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(line[:shownBytes], ""), len(line))
		}
		fmt.Fprintf(&b, "%7.3fs [%d] %s%s\n", r.At.Sub(all[0].At).Seconds(), r.PID, arrow, line)
	}
	return b.String()
}

// everything is the record as it was written.
func (c *computer) everything() string {
	data, _ := os.ReadFile(c.wireFile())
	return string(data)
}

// keep writes what belongs to a test into out/, and into the test's output.
func (c *computer) keep(name, text string) {
	c.t.Helper()
	c.noLeaks(name, text)
	c.t.Logf("%s\n%s", name, text)
	file := filepath.Join(at.out, strings.NewReplacer("/", "-", " ", "-").Replace(c.t.Name()+"-"+name)+".txt")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		c.t.Errorf("keeping %s: %v", name, err)
	}
}

// noLeaks searches a text for what must not be in it.
func (c *computer) noLeaks(name, text string) {
	c.t.Helper()
	for i, secret := range c.sb.Secrets() {
		if strings.Contains(text, secret) {
			c.t.Errorf("%s has secret %d of the sandbox", name, i+1)
		}
	}
}
