package translate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/translate"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// peer is a server made by the SDK that speaks the modern era only.
type peer struct {
	url       string
	server    *mcp.Server
	cancelled chan struct{}
	listening chan jsonmsg.Message // each subscriptions/listen

	mu     sync.Mutex
	legacy []string // methods that came without a version
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{cancelled: make(chan struct{}), listening: make(chan jsonmsg.Message, 9)}
	p.server = mcp.NewServer(&mcp.Implementation{Name: "peer", Version: "3"}, &mcp.ServerOptions{
		Instructions:              "be kind",
		SupportedProtocolVersions: []string{"2026-07-28"},
		SubscribeHandler:          func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler:        func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	p.addTools()
	p.server.AddResource(&mcp.Resource{Name: "r", URI: "x:r"}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{}, nil
	})
	h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return p.server },
		&mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true, Logger: slog.New(slog.DiscardHandler)})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, h) }))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

// serve refuses what a server of the modern era alone does not know: the SDK
// answers initialize always.
func (p *peer) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, _ := io.ReadAll(r.Body)
	m, _ := jsonmsg.Scan(body)
	if r.Header.Get("Mcp-Protocol-Version") == "" {
		p.mu.Lock()
		p.legacy = append(p.legacy, r.Method+" "+m.Method)
		p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(jsonmsg.ErrorReply(m.ID, -32020, "no version", nil))
		return
	}
	if m.Method == "subscriptions/listen" {
		p.listening <- m
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	next.ServeHTTP(w, r)
}

func (p *peer) addTools() {
	type args struct {
		N int `json:"n,omitempty"`
	}
	mcp.AddTool(p.server, &mcp.Tool{Name: "add"}, func(ctx context.Context, r *mcp.CallToolRequest, a args) (*mcp.CallToolResult, any, error) {
		if token := r.Params.GetProgressToken(); token != nil {
			_ = r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: 1})
		}
		return text(fmt.Sprint(a.N + 1)), nil, nil
	})
	p.server.AddTool(&mcp.Tool{Name: "ask", InputSchema: map[string]any{"type": "object"}}, func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if r.Params.RequestState == "" {
			return &mcp.CallToolResult{
				InputRequests: mcp.InputRequestMap{
					"sure": &mcp.ElicitParams{Message: "sure?", RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}}},
					"when": &mcp.ElicitParams{Message: "when?", RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}}},
				},
				RequestState: "a\"b=",
			}, nil
		}
		sure, _ := r.Params.InputResponses["sure"].(*mcp.ElicitResult)
		when, _ := r.Params.InputResponses["when"].(*mcp.ElicitResult)
		return text(fmt.Sprintf("%s %s %s", r.Params.RequestState, sure.Action, when.Action)), nil
	})
	mcp.AddTool(p.server, &mcp.Tool{Name: "hang"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ args) (*mcp.CallToolResult, any, error) {
		<-ctx.Done()
		close(p.cancelled)
		return nil, nil, ctx.Err()
	})
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
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

// connect puts bridge, translator and remote between an SDK client of the
// legacy era and the peer.
func connect(t *testing.T, p *peer, o *mcp.ClientOptions) *mcp.ClientSession {
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
		err := bridge.Run(context.Background(), bridge.Config{In: inR, Out: outW, Remote: translate.New(up, era(remote.EraUnknown), nil)})
		outW.Close()
		ended <- err
	}()
	c := mcp.NewClient(&mcp.Implementation{Name: "host", Version: "1"}, o)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	s, err := c.Connect(ctx, &mcp.IOTransport{Reader: outR, Writer: inW}, &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		inW.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		tr.CloseIdleConnections()
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.legacy) != 1 || p.legacy[0] != "POST initialize" {
			t.Errorf("in the legacy way came %v, want the first initialize only", p.legacy)
		}
	})
	return s
}

func TestPeer_legacyClientModernServer_listCallPing(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	progress := make(chan struct{}, 100)
	s := connect(t, p, &mcp.ClientOptions{
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) { progress <- struct{}{} },
	})
	init := s.InitializeResult()
	if init.ProtocolVersion != "2025-11-25" || init.ServerInfo.Name != "peer" || init.ServerInfo.Version != "3" || init.Instructions != "be kind" || !init.Capabilities.Tools.ListChanged {
		t.Errorf("%+v", init)
	}
	if err := s.Ping(t.Context(), nil); err != nil {
		t.Error(err)
	}
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
		<-progress
	}
}

func TestPeer_serverNeedsInput_hostIsAsked(t *testing.T) {
	t.Parallel()
	c := &mcp.ClientOptions{
		ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			if r.Params.Message == "when?" {
				return nil, errors.New("cannot show this")
			}
			return &mcp.ElicitResult{Action: "decline"}, nil
		},
	}
	s := connect(t, newPeer(t), c)
	r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "ask"})
	if err != nil || r.IsError || r.Content[0].(*mcp.TextContent).Text != `a"b= decline cancel` {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPeer_hostCannotBeAsked_modelReadsWhy(t *testing.T) {
	t.Parallel()
	s := connect(t, newPeer(t), nil)
	r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "ask"})
	if err != nil || !r.IsError {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPeer_listAndResourceChange_comeOnTheStream(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	changed, updated := make(chan struct{}, 10), make(chan string, 10)
	s := connect(t, p, &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} },
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) { updated <- r.Params.URI },
	})
	<-p.listening
	// Returns when the second stream, with the resource in it, is acknowledged.
	if err := s.Subscribe(t.Context(), &mcp.SubscribeParams{URI: "x:r"}); err != nil {
		t.Fatal(err)
	}
	p.server.RemoveTools("hang")
	<-changed
	if err := p.server.ResourceUpdated(t.Context(), &mcp.ResourceUpdatedNotificationParams{URI: "x:r"}); err != nil {
		t.Error(err)
	}
	if got := <-updated; got != "x:r" {
		t.Error(got)
	}
}

func TestPeer_hostCancels_toolStopsAtOnce(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	s := connect(t, p, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	since := time.Now()
	if _, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "hang"}); err == nil {
		t.Error("the call was answered")
	}
	<-p.cancelled
	if took := time.Since(since); took > 4*time.Second {
		t.Errorf("the stream was closed after %v, by the grace of the legacy era", took)
	}
}
