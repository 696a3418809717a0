package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// refusedError is the error that answered a request, the bridge's or the server's.
type refusedError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (e *refusedError) Error() string { return fmt.Sprintf("%d %s %s", e.Code, e.Message, e.Data) }

// message is one JSON-RPC message from the bridge.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *refusedError   `json:"error"`
}

// stdio is the host's end of the bridge's pipes. It insists that each line is a
// JSON-RPC message.
type stdio struct {
	in     io.Writer
	log    io.Writer                                                // the transcript
	serve  func(method string, params json.RawMessage) (any, error) // what the server asks of the host
	moved  chan struct{}                                            // 1 slot: the tools have changed
	ended  chan struct{}                                            // closed when the bridge's stdout ends
	spoilt chan struct{}                                            // closed at the first line that is no answer

	mu     sync.Mutex
	nextID int
	wait   map[string]chan message
	bad    error // why spoilt is closed
}

func newStdio(in, log io.Writer) *stdio {
	return &stdio{
		in: in, log: log, serve: serveServer, moved: make(chan struct{}, 1),
		ended: make(chan struct{}), spoilt: make(chan struct{}), wait: map[string]chan message{},
	}
}

// read takes the bridge's lines until there are no more.
func (s *stdio) read(out io.Reader) {
	defer close(s.ended)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		s.note("<", lines.Bytes())
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil || m.JSONRPC != "2.0" {
			s.blame(fmt.Errorf("a line on the bridge's stdout is no JSON-RPC message: %.200s", lines.Bytes()))
			continue
		}
		switch {
		case m.Method == "":
			s.deliver(m)
		case m.ID != nil:
			go s.answer(m) // may itself ask the bridge
		case m.Method == "notifications/tools/list_changed":
			select {
			case s.moved <- struct{}{}:
			default:
			}
		}
	}
}

func (s *stdio) note(direction string, line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprintf(s.log, "%s %s\n", direction, line)
}

func (s *stdio) blame(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoil(err)
}

func (s *stdio) spoil(err error) {
	if s.bad == nil {
		s.bad = err
		close(s.spoilt)
	}
}

func (s *stdio) deliver(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.wait[string(m.ID)]
	if !ok {
		s.spoil(fmt.Errorf("an answer to nothing, or a second one: id %s", m.ID))
		return
	}
	delete(s.wait, string(m.ID))
	c <- m
}

// answer does what the server asks of the host.
func (s *stdio) answer(m message) {
	reply := map[string]any{"jsonrpc": "2.0", "id": m.ID}
	result, err := s.serve(m.Method, m.Params)
	if err == nil {
		reply["result"] = result
	} else {
		reply["error"] = map[string]any{"code": -32601, "message": err.Error()}
	}
	if err := s.write(reply); err != nil {
		s.blame(err)
	}
}

func (s *stdio) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.note(">", line)
	_, err = s.in.Write(append(line, '\n'))
	return err
}

// ask sends one request under a new id and returns its result.
func (s *stdio) ask(ctx context.Context, method string, params any) (json.RawMessage, error) {
	answer := make(chan message, 1)
	s.mu.Lock()
	s.nextID++
	id := s.nextID
	s.wait[strconv.Itoa(id)] = answer
	s.mu.Unlock()
	if err := s.write(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params}); err != nil {
		return nil, fmt.Errorf("asking %s: %w", method, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return nil, fmt.Errorf("asking %s: %w", method, m.Error)
		}
		return m.Result, nil
	case <-s.ended:
		return nil, fmt.Errorf("asking %s: the bridge ended", method)
	case <-s.spoilt:
		return nil, fmt.Errorf("asking %s: what came is not in order", method)
	case <-ctx.Done():
		return nil, fmt.Errorf("asking %s: no answer", method)
	}
}

// fault is what was wrong with the bridge's output, or nil.
func (s *stdio) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad
}
