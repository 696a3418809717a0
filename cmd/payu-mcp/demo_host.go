package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// demoHost plays an MCP host: it starts the bridge over stdio and asks one
// question after the other.
type demoHost struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan []byte
	next  int
}

const demoAnswerLimit = 60 * time.Second

// startHost starts the bridge as a desktop program would.
func startHost(ctx context.Context, cmd *exec.Cmd) (*demoHost, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("preparing the bridge: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("preparing the bridge: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the bridge: %w", err)
	}
	h := &demoHost{cmd: cmd, in: in, lines: make(chan []byte)}
	go h.read(ctx, out)
	return h, nil
}

func (h *demoHost) read(ctx context.Context, out io.Reader) {
	defer close(h.lines)
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		select {
		case h.lines <- line:
		case <-ctx.Done():
			return
		}
	}
}

type demoAnswer struct {
	ID     int `json:"id"`
	Result struct {
		ServerInfo struct {
			Name string `json:"name"`
		} `json:"serverInfo"`
		Tools []struct {
			Name string `json:"name"`
		} `json:"tools"`
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"result"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// text joins what a tool said.
func (a *demoAnswer) text() string {
	var parts []string
	for _, c := range a.Result.Content {
		parts = append(parts, c.Text)
	}
	return strings.Join(parts, "\n")
}

// ask sends a request and waits for its answer; other messages pass by.
func (h *demoHost) ask(ctx context.Context, method string, params any) (*demoAnswer, error) {
	h.next++
	if err := h.send(map[string]any{"jsonrpc": "2.0", "id": h.next, "method": method, "params": params}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, demoAnswerLimit)
	defer cancel()
	for {
		a, err := h.receive(ctx)
		if err != nil {
			return nil, fmt.Errorf("waiting for the answer to %s: %w", method, err)
		}
		if a.ID != h.next {
			continue
		}
		if a.Error != nil {
			return nil, fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		return a, nil
	}
}

func (h *demoHost) receive(ctx context.Context) (*demoAnswer, error) {
	select {
	case line, open := <-h.lines:
		if !open {
			return nil, errors.New("the bridge has ended")
		}
		var a demoAnswer
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, fmt.Errorf("the bridge wrote something that is no message: %w", err)
		}
		return &a, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *demoHost) notify(method string) error {
	return h.send(map[string]any{"jsonrpc": "2.0", "method": method})
}

func (h *demoHost) send(message any) error {
	b, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	if _, err := h.in.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("writing to the bridge: %w", err)
	}
	return nil
}

// stop closes the bridge's input, as a host that quits, and waits for its end.
func (h *demoHost) stop() error {
	if err := h.in.Close(); err != nil {
		return fmt.Errorf("closing the bridge's input: %w", err)
	}
	for range h.lines { // what comes late is nobody's
	}
	if err := h.cmd.Wait(); err != nil {
		return fmt.Errorf("the bridge did not end well: %w", err)
	}
	return nil
}
