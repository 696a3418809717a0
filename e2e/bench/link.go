package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// link is a way to the server: straight, or through a bridge.
type link interface {
	// ask sends one request and returns the answer.
	ask(request []byte) ([]byte, error)
	// flood keeps so many requests in flight until the time is over and all are
	// answered, and returns how many that were.
	flood(inFlight int, window time.Duration, request func(id int) []byte) (int, error)
	// begin sends one request and returns what waits for its answer, which
	// comes after those to all other requests.
	begin(request []byte) (wait func() error, err error)
	close() error
}

var errRefused = errors.New("the call was refused")

const (
	initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
		`"capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}` + "\n"
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	listTools   = `{"jsonrpc":"2.0","id":"tools","method":"tools/list"}` + "\n"
)

// call returns a tools/call that is answered in this form, JSON or SSE, with so
// many bytes, after a pause of so many milliseconds.
func call(form string, size, pause int) func(id int) []byte {
	return func(id int) []byte {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%s-%d-%d","arguments":{}}}`+"\n",
			id, form, size, pause)
	}
}

// upload returns a tools/call of so many bytes.
func upload(size int) func(id int) []byte {
	filler := strings.Repeat("a", size)
	return func(id int) []byte {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"json-1024-0","arguments":{"text":"%s"}}}`+"\n",
			id, filler)
	}
}

// check finds the answers that are not what was asked for.
func check(answer []byte) error {
	const near = 200 // bytes from either end: the members may come in any order
	result := []byte(`"result":`)
	if !bytes.Contains(answer[:min(len(answer), near)], result) && !bytes.Contains(answer[max(0, len(answer)-near):], result) {
		return fmt.Errorf("%w: %.300s", errRefused, answer)
	}
	return nil
}

// pipe is a bridge, with its stdin and stdout.
type pipe struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	big []byte // where an answer is put together that the reader does not hold
}

// spawn starts a bridge; what it says on stderr comes up when it fails.
func spawn(ctx context.Context, env []string, command ...string) (*pipe, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = env
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// A pipe of our own: Wait must not close what is still read.
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer outW.Close()
	cmd.Stdout = outW
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &pipe{cmd: cmd, in: in, out: bufio.NewReaderSize(outR, 256<<10)}, nil
}

func (p *pipe) ask(request []byte) ([]byte, error) {
	if _, err := p.in.Write(request); err != nil {
		return nil, err
	}
	return p.line()
}

func (p *pipe) begin(request []byte) (func() error, error) {
	_, err := p.in.Write(request)
	return func() error { _, err := p.line(); return err }, err
}

// greet is the start of a session, as a host makes it. Without the list, which says
// that the tools only read, payu-mcp would put each call on the disk first: the
// journal has a benchmark of its own.
func (p *pipe) greet() error {
	if _, err := p.ask([]byte(initialize)); err != nil {
		return err
	}
	if _, err := io.WriteString(p.in, initialized); err != nil {
		return err
	}
	_, err := p.ask([]byte(listTools))
	return err
}

// line returns the next line; it is valid until the next call.
func (p *pipe) line() ([]byte, error) {
	p.big = p.big[:0]
	for {
		part, err := p.out.ReadSlice('\n')
		if err == nil && len(p.big) == 0 {
			return part, check(part)
		}
		p.big = append(p.big, part...)
		if err == nil {
			return p.big, check(p.big)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("reading from the bridge: %w", err)
		}
	}
}

func (p *pipe) flood(inFlight int, window time.Duration, request func(id int) []byte) (int, error) {
	sent, got := 0, 0
	var batch []byte
	send := func(n int) error {
		batch = batch[:0]
		for range n {
			sent++
			batch = append(batch, request(sent)...)
		}
		_, err := p.in.Write(batch)
		return err
	}
	if err := send(inFlight); err != nil {
		return 0, err
	}
	for end := time.Now().Add(window); got < sent; {
		came := 0
		for first := true; first || p.out.Buffered() > 0; first = false {
			if _, err := p.line(); err != nil {
				return got, err
			}
			came++
		}
		got += came
		if time.Now().Before(end) {
			if err := send(came); err != nil {
				return got, err
			}
		}
	}
	return got, nil
}

// close ends the bridge as a host does, by the end of its stdin.
func (p *pipe) close() error {
	_ = p.in.Close()
	gone := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer gone.Stop()
	return p.cmd.Wait()
}

// straight is plain HTTP, with connections that are kept.
type straight struct {
	client http.Client
	url    string
}

func newStraight(url string) *straight {
	return &straight{http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}, url}
}

func (s *straight) ask(request []byte) ([]byte, error) {
	r, err := http.NewRequest(http.MethodPost, s.url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", bearer)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		_, body, _ = bytes.Cut(body, []byte("data: "))
	}
	return body, check(body)
}

func (s *straight) begin(request []byte) (func() error, error) {
	done := make(chan error, 1)
	go func() {
		_, err := s.ask(request)
		done <- err
	}()
	return func() error { return <-done }, nil
}

func (s *straight) flood(inFlight int, window time.Duration, request func(id int) []byte) (int, error) {
	var all sync.WaitGroup
	counts, errs := make([]int, inFlight), make([]error, inFlight)
	end := time.Now().Add(window)
	for i := range inFlight {
		all.Go(func() {
			for time.Now().Before(end) && errs[i] == nil {
				_, errs[i] = s.ask(request(counts[i]*inFlight + i))
				counts[i]++
			}
		})
	}
	all.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return total, errors.Join(errs...)
}

func (s *straight) close() error {
	s.client.CloseIdleConnections()
	return nil
}
