package sandbox_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

// PAYU 5.6: the official client is content with the defaults, and with every
// other shape of the transport but AnswerRichSSE: it refuses a field without a
// colon, which the HTML standard allows.
func TestSDKClient_everyShape_works(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]sandbox.MCPKnobs{
		"default":  {},
		"sse":      {Answer: sandbox.AnswerSSE, StrictAccept: true},
		"pages":    {Tools: sandbox.ToolKnobs{PageSize: 5}},
		"sessions": {Sessions: true, Get: sandbox.GetStream, DeleteAllowed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := start(t, sandbox.Options{TLS: true, HTTP2: true, Knobs: sandbox.Knobs{MCP: k}})
			c := sb.HTTPClient()
			c.Transport = bearer{sb.IssueToken("B"), c.Transport}
			changed := make(chan struct{}, 1)
			client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
				ToolListChangedHandler: func(_ context.Context, _ *mcp.ToolListChangedRequest) { changed <- struct{}{} },
			})
			s, err := client.Connect(limit(t), &mcp.StreamableClientTransport{Endpoint: sb.Endpoint(), HTTPClient: c}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for tool, err := range s.Tools(limit(t), nil) {
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, tool.Name)
			}
			if len(names) != 13 {
				t.Error(names)
			}
			r, err := s.CallTool(limit(t), &mcp.CallToolParams{Name: "switch_team_account", Arguments: map[string]any{"identifier": "180045"}})
			if err != nil || r.IsError {
				t.Error(r, err)
			}
			if k.Get == sandbox.GetStream {
				if err := sb.Push(limit(t), []byte(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)); err != nil {
					t.Error(err)
				}
				<-changed
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if k.Sessions && sb.Sessions() != 0 {
				t.Error("the session is left")
			}
		})
	}
}
