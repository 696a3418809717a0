package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// shellHost is the MCP host of `tools` and `call`: it speaks to the very bridge
// that desktop programs start, over pipes within this process, so that nothing of
// what holds for them is different here. It is of the legacy era, as they are, and
// handles what comes as bytes.
type shellHost struct {
	in    *io.PipeWriter
	ended chan struct{} // closed when the bridge has ended
	// heard gets what the bridge says unasked, and its requests; it must not wait.
	heard func(m jsonmsg.Message)

	mu   sync.Mutex
	next int
	open map[string]chan jsonmsg.Message // by jsonmsg.Key of the id
}

// startShellHost runs a bridge with this configuration, but for In and Out. It
// ends with the host's end, not with ctx: a signal must not cut what is in flight.
// after runs when it has ended.
func startShellHost(ctx context.Context, c bridge.Config, heard func(jsonmsg.Message), after func()) *shellHost {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	h := &shellHost{in: inW, ended: make(chan struct{}), heard: heard, open: map[string]chan jsonmsg.Message{}}
	c.In, c.Out = inR, outW
	// The command decides what a signal means for its call.
	ctx = context.WithoutCancel(ctx)
	go func() { // ends when the host ends, a few seconds later at most
		err := bridge.Run(ctx, c)
		after()
		_ = outW.CloseWithError(err)
	}()
	go h.read(outR)
	return h
}

func (h *shellHost) read(out io.Reader) {
	defer close(h.ended)
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		m, err := jsonmsg.Scan(line)
		if err != nil {
			continue // the bridge lets no such line pass
		}
		if m.Kind != jsonmsg.Response {
			h.heard(m)
			continue
		}
		h.mu.Lock()
		key := jsonmsg.Key(m.ID) // a server may write the same number in another way
		c := h.open[key]
		delete(h.open, key)
		h.mu.Unlock()
		if c != nil {
			c <- m
		}
	}
}

// begin sends a request and returns its id, and where its answer will be.
func (h *shellHost) begin(method string, params json.RawMessage) (id string, answer <-chan jsonmsg.Message, err error) {
	c := make(chan jsonmsg.Message, 1)
	h.mu.Lock()
	h.next++
	id = strconv.Itoa(h.next)
	h.open[jsonmsg.Key([]byte(id))] = c
	h.mu.Unlock()
	return id, c, h.send(
		jsonmsg.Member{Key: "id", Value: json.RawMessage(id)},
		jsonmsg.Member{Key: "method", Value: jsonmsg.Quote(method)},
		jsonmsg.Member{Key: "params", Value: params})
}

var errBridgeEnded = errors.New("the bridge has ended without an answer")

// ask sends a request and waits for its answer. When ctx ends, it returns the
// error of ctx, and the request goes on.
func (h *shellHost) ask(ctx context.Context, method string, params json.RawMessage) (jsonmsg.Message, error) {
	_, answer, err := h.begin(method, params)
	if err != nil {
		return jsonmsg.Message{}, err
	}
	return h.wait(ctx, answer)
}

func (h *shellHost) wait(ctx context.Context, answer <-chan jsonmsg.Message) (jsonmsg.Message, error) {
	select {
	case m := <-answer:
		return m, nil
	case <-ctx.Done():
	case <-h.ended:
	}
	select {
	case m := <-answer: // it came at the same time
		return m, nil
	default:
	}
	if err := ctx.Err(); err != nil {
		return jsonmsg.Message{}, err
	}
	return jsonmsg.Message{}, errBridgeEnded
}

func (h *shellHost) notify(method string, params json.RawMessage) error {
	return h.send(
		jsonmsg.Member{Key: "method", Value: jsonmsg.Quote(method)},
		jsonmsg.Member{Key: "params", Value: params})
}

// answer answers a request of the bridge or of the server.
func (h *shellHost) answer(id json.RawMessage, reply jsonmsg.Member) error {
	return h.send(jsonmsg.Member{Key: "id", Value: id}, reply)
}

func (h *shellHost) send(members ...jsonmsg.Member) error {
	line := jsonmsg.Object(append([]jsonmsg.Member{{Key: "jsonrpc", Value: jsonmsg.Quote("2.0")}}, members...)...)
	if _, err := h.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing to the bridge: %w", err)
	}
	return nil
}

// end closes the bridge's input, as a host that quits, and waits for its end: 3
// seconds at most.
func (h *shellHost) end() {
	_ = h.in.Close()
	<-h.ended
}
