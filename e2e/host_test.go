package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

const answerLimit = 60 * time.Second

// host plays the desktop program: it starts the bridge over stdio and insists
// that every line it gets is JSON-RPC.
type host struct {
	w      *world
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.Closer
	ended  chan struct{}
	told   chan message // requests and notifications; the oldest are kept
	mu     sync.Mutex
	nextID int
	wait   map[string]chan message
}

// message is one JSON-RPC message from the bridge.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// wellFormed says what is wrong with a line of the bridge's stdout, or nothing.
func wellFormed(line []byte) (message, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return m, fmt.Errorf("not JSON: %w", err)
	}
	switch {
	case m.JSONRPC != "2.0":
		return m, fmt.Errorf("jsonrpc is %q", m.JSONRPC)
	case m.Method == "" && (m.ID == nil || (m.Result == nil) == (m.Error == nil)):
		return m, fmt.Errorf("neither request nor response")
	}
	return m, nil
}

// startHost starts the bridge; the log goes to a file and to stderr's place.
func (w *world) startHost(args ...string) *host {
	w.t.Helper()
	return w.startBehind(binary, args...)
}

// startBehind starts a program that is the bridge or starts it.
func (w *world) startBehind(program string, args ...string) *host {
	w.t.Helper()
	h := &host{w: w, ended: make(chan struct{}), told: make(chan message, 64), wait: map[string]chan message{}}
	h.cmd = exec.CommandContext(w.t.Context(), program, args...)
	h.cmd.Env, h.cmd.Stderr = w.env, w.sink("stderr of the bridge")
	h.cmd.WaitDelay = 5 * time.Second
	var err1, err2 error
	h.stdin, err1 = h.cmd.StdinPipe()
	stdout, err2 := h.cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		w.t.Fatal(err1, err2)
	}
	if err := h.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	h.stdout = stdout
	go h.read(stdout)
	w.t.Cleanup(func() { _ = h.stdin.Close(); <-h.ended; _ = h.cmd.Wait() })
	return h
}

func (h *host) read(stdout io.Reader) {
	defer close(h.ended)
	out := h.w.sink("stdout of the bridge")
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		_, _ = fmt.Fprintf(out, "%s\n", lines.Bytes())
		m, err := wellFormed(lines.Bytes())
		if err != nil {
			h.w.t.Errorf("a line on stdout is no JSON-RPC message: %v: %.200s", err, lines.Bytes())
			continue
		}
		h.deliver(m)
	}
}

func (h *host) deliver(m message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.Method != "" {
		select {
		case h.told <- m:
		default:
		}
		return
	}
	if c, ok := h.wait[string(m.ID)]; ok {
		delete(h.wait, string(m.ID))
		c <- m
	}
}

func (h *host) write(v any) {
	h.w.t.Helper()
	line, err := json.Marshal(v)
	if err == nil {
		_, err = h.stdin.Write(append(line, '\n'))
	}
	if err != nil {
		h.w.t.Fatalf("writing to the bridge: %v", err)
	}
}

// hears waits for the next message of the server of this method.
func (h *host) hears(method string) message {
	h.w.t.Helper()
	limit := time.After(answerLimit)
	for {
		select {
		case m := <-h.told:
			if m.Method == method {
				return m
			}
		case <-limit:
			h.w.t.Fatalf("the host never heard %s", method)
		}
	}
}

// begin sends a request and returns where its response will be.
func (h *host) begin(method string, params any) <-chan message {
	h.w.t.Helper()
	answer := make(chan message, 1)
	h.mu.Lock()
	h.nextID++
	id := h.nextID
	h.wait[strconv.Itoa(id)] = answer
	h.mu.Unlock()
	h.write(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	return answer
}

// ask sends a request and returns the response, whatever it says.
func (h *host) ask(method string, params any) message {
	h.w.t.Helper()
	answer := h.begin(method, params)
	ctx, cancel := context.WithTimeout(h.w.t.Context(), answerLimit)
	defer cancel()
	select {
	case m := <-answer:
		return m
	case <-h.ended:
		h.w.t.Fatalf("the bridge ended while %s was open", method)
	case <-ctx.Done():
		h.w.t.Fatalf("no answer to %s", method)
	}
	return message{}
}

// get sends a request that must succeed, and decodes its result.
func (h *host) get(method string, params, result any) {
	h.w.t.Helper()
	m := h.ask(method, params)
	if m.Error != nil {
		h.w.t.Fatalf("%s: %s", method, m.Error)
	}
	if err := json.Unmarshal(m.Result, result); err != nil {
		h.w.t.Fatalf("%s: %v", method, err)
	}
}

// initialize does the legacy handshake and returns the server's name.
func (h *host) initialize() string {
	h.w.t.Helper()
	var r struct{ ServerInfo struct{ Name string } }
	h.get("initialize", map[string]any{
		"protocolVersion": "2025-11-25",
		"capabilities":    map[string]any{},
		"clientInfo":      map[string]any{"name": "e2e", "version": "1"},
	}, &r)
	h.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	return r.ServerInfo.Name
}

// tools lists the names of the tools.
func (h *host) tools() []string {
	h.w.t.Helper()
	var r struct{ Tools []struct{ Name string } }
	h.get("tools/list", map[string]any{}, &r)
	var names []string
	for _, t := range r.Tools {
		names = append(names, t.Name)
	}
	return names
}

// toolResult is the answer of a tool.
type toolResult struct {
	Content []struct{ Text string }
	IsError bool
}

func (h *host) call(tool string, args map[string]any) toolResult {
	h.w.t.Helper()
	var r toolResult
	h.get("tools/call", map[string]any{"name": tool, "arguments": args}, &r)
	return r
}

// ownTools are those of payu-mcp itself, for a host that cannot be given PayU's.
func ownTools() []string { return []string{"payu_login", "payu_list_tools", "payu_call_tool"} }

// lists checks how many tools the host is shown.
func (h *host) lists(want int) {
	h.w.t.Helper()
	if n := len(h.tools()); n != want {
		h.w.t.Errorf("%d tools, want %d", n, want)
	}
}

// healthCheck is the call of a tool that only reads.
func healthCheck() map[string]any {
	return map[string]any{"name": "health_check", "arguments": map[string]any{}}
}

// healthy makes a call that needs a login. A list proves nothing: it may be a
// saved one.
func (h *host) healthy() {
	h.w.t.Helper()
	var r toolResult
	h.get("tools/call", healthCheck(), &r)
	if r.IsError || len(r.Content) == 0 || !strings.Contains(r.Content[0].Text, "running") {
		h.w.t.Errorf("health_check gave %+v", r)
	}
}

// works checks what the host sees and what it can do.
func (h *host) works() {
	h.w.t.Helper()
	h.lists(13)
	h.healthy()
}

// end closes the bridge's stdin and waits for its exit code.
func (h *host) end() int {
	h.w.t.Helper()
	_ = h.stdin.Close()
	select {
	case <-h.ended:
	case <-time.After(15 * time.Second):
		h.w.t.Fatal("the bridge is still there 15 s after its stdin ended")
	}
	_ = h.cmd.Wait()
	return h.cmd.ProcessState.ExitCode()
}
