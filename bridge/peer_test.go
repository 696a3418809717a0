package bridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/remote"
)

// peer is a server made by the SDK, with what it saw on the wire.
type peer struct {
	url       string
	server    *mcp.Server
	cancelled chan struct{}
	streaming chan struct{} // closed when the first GET stream is open

	mu      sync.Mutex
	methods map[string]int
}

func newPeer(t *testing.T, o mcp.StreamableHTTPOptions) *peer {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	p := &peer{cancelled: make(chan struct{}), streaming: make(chan struct{}), methods: map[string]int{}}
	p.server = mcp.NewServer(&mcp.Implementation{Name: "peer", Version: "1"}, nil)
	type args struct {
		N int `json:"n,omitempty"`
	}
	mcp.AddTool(p.server, &mcp.Tool{Name: "add"}, func(ctx context.Context, r *mcp.CallToolRequest, a args) (*mcp.CallToolResult, any, error) {
		if token := r.Params.GetProgressToken(); token != nil {
			_ = r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: 1})
		}
		return text(fmt.Sprint(a.N + 1)), nil, nil
	})
	mcp.AddTool(p.server, &mcp.Tool{Name: "ask"}, func(ctx context.Context, r *mcp.CallToolRequest, _ args) (*mcp.CallToolResult, any, error) {
		a, err := r.Session.Elicit(ctx, &mcp.ElicitParams{Message: "sure?", RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}}})
		if err != nil {
			return nil, nil, err
		}
		return text(a.Action), nil, nil
	})
	mcp.AddTool(p.server, &mcp.Tool{Name: "hang"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ args) (*mcp.CallToolResult, any, error) {
		<-ctx.Done()
		close(p.cancelled)
		return nil, nil, ctx.Err()
	})
	opened := sync.OnceFunc(func() { close(p.streaming) })
	h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return p.server }, &o)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.methods[r.Method]++
		p.mu.Unlock()
		if r.Method == http.MethodGet {
			w = opening{w, opened}
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

// opening tells when the head of an answer goes out.
type opening struct {
	http.ResponseWriter

	opened func()
}

func (o opening) Flush() {
	o.ResponseWriter.(http.Flusher).Flush()
	o.opened()
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}

func (p *peer) count(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.methods[method]
}

// pipe is the system's own: unlike io.Pipe, it takes what nobody has read yet,
// such as the newline after the last answer.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// connect puts a bridge between an SDK client and the peer.
func connect(t *testing.T, p *peer, o *mcp.ClientOptions) (s *mcp.ClientSession, end func() error) {
	t.Helper()
	tr := &http.Transport{}
	up, err := remote.New(remote.Config{Endpoint: p.url, HTTP: tr})
	if err != nil {
		t.Fatal(err)
	}
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	ended := make(chan error, 1)
	go func() {
		err := bridge.Run(context.Background(), bridge.Config{In: inR, Out: outW, Remote: up})
		outW.Close()
		ended <- err
	}()
	c := mcp.NewClient(&mcp.Implementation{Name: "host", Version: "1"}, o)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	s, err = c.Connect(ctx, &mcp.IOTransport{Reader: outR, Writer: inW}, &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"})
	if err != nil {
		t.Fatal(err)
	}
	return s, func() error {
		_ = s.Close()
		inW.Close()
		defer tr.CloseIdleConnections()
		return <-ended
	}
}

func TestPeer_SDKServerAndClient_talkThroughTheBridge(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mcp.StreamableHTTPOptions{
		"SSE":            {},
		"JSON":           {JSONResponse: true},
		"stateless SSE":  {Stateless: true},
		"stateless JSON": {Stateless: true, JSONResponse: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, o)
			progress := make(chan struct{}, 100) // the SDK may run its handlers after the answer
			s, end := connect(t, p, &mcp.ClientOptions{
				ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) { progress <- struct{}{} },
			})
			tools, err := s.ListTools(t.Context(), nil)
			if err != nil || len(tools.Tools) != 3 {
				t.Fatal(tools, err)
			}
			var g sync.WaitGroup
			for i := range 20 {
				g.Go(func() {
					params := &mcp.CallToolParams{Name: "add", Arguments: map[string]any{"n": i}}
					params.SetProgressToken(i)
					r, err := s.CallTool(t.Context(), params)
					if err != nil || r.Content[0].(*mcp.TextContent).Text != fmt.Sprint(i+1) {
						t.Error(r, err)
					}
				})
			}
			g.Wait()
			for range 20 {
				if o.JSONResponse {
					break // the server has nowhere to send them
				}
				<-progress
			}
			if err := end(); err != nil {
				t.Error(err)
			}
			wantDELETE := 1
			if o.Stateless {
				wantDELETE = 0
			}
			if n := p.count(http.MethodDelete); n != wantDELETE {
				t.Errorf("%d DELETEs, want %d", n, wantDELETE)
			}
			if n := p.count(http.MethodGet); n != 1 {
				t.Errorf("%d GETs", n)
			}
		})
	}
}

func TestPeer_serverAsksTheHost_answerComesBack(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mcp.StreamableHTTPOptions{"on the POST": {}, "on the GET stream": {JSONResponse: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, o)
			s, end := connect(t, p, &mcp.ClientOptions{
				ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
					return &mcp.ElicitResult{Action: "decline"}, nil
				},
			})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			<-p.streaming
			r, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "ask"})
			if err != nil || r.IsError || r.Content[0].(*mcp.TextContent).Text != "decline" {
				t.Errorf("%+v, %v", r, err)
			}
			if err := end(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPeer_listChanged_comesOnTheStream(t *testing.T) {
	t.Parallel()
	p := newPeer(t, mcp.StreamableHTTPOptions{})
	changed := make(chan struct{}, 10)
	_, end := connect(t, p, &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} },
	})
	<-p.streaming
	p.server.RemoveTools("hang")
	<-changed
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestPeer_hostCancels_toolStops(t *testing.T) {
	t.Parallel()
	p := newPeer(t, mcp.StreamableHTTPOptions{})
	s, end := connect(t, p, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "hang"}); err == nil {
		t.Error("the call was answered")
	}
	<-p.cancelled
	if err := end(); err != nil {
		t.Error(err)
	}
}
