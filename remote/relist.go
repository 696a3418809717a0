package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// maxPages bounds a list that never ends.
const maxPages = 100

// readOnly reports whether the server calls a tool read-only. It is a hint, and
// permits no more than waiting out a 429 (RELAY R9).
func (c *Client) readOnly(name string) bool {
	t, _ := c.tools.of(name)
	return t.readOnly
}

// learnTools remembers what an answer to tools/list says of the tools, and
// returns it as the host may see it: in the modern era without the tools whose
// x-mcp-header is invalid (RELAY H14).
func (c *Client) learnTools(ctx context.Context, asked, answer jsonmsg.Message) jsonmsg.Message {
	c.tools.learn(answer.Raw, jsonmsg.Lookup(asked.Raw, "params", "cursor") == nil)
	if !asked.Modern() {
		return answer
	}
	answer, out := c.tools.filter(answer)
	for _, t := range out {
		c.log.LogAttrs(ctx, slog.LevelWarn, "left a tool out of the list, its x-mcp-header is invalid",
			slog.String("tool", printable.Word(t.name)), slog.Any("reason", t.reason))
	}
	return answer
}

// relist asks for the tools again, because a call's Mcp-Param headers were not
// what the server expects (RELAY H15).
func (c *Client) relist(ctx context.Context, call jsonmsg.Message) error {
	meta := jsonmsg.Lookup(call.Raw, "params", "_meta")
	next := json.RawMessage(nil)
	for range maxPages {
		page, err := jsonmsg.Scan(listRequest(c.ownID(), meta, next))
		if err != nil {
			return fmt.Errorf("asking for the tools: %w", err)
		}
		next = nil
		x := &exchange{client: c, verb: http.MethodPost, msg: page, own: true, hooks: Hooks{Deliver: func(m jsonmsg.Message) {
			if m.Kind == jsonmsg.Response {
				next = jsonmsg.Lookup(m.Raw, "result", "nextCursor")
			}
		}}}
		if e := x.do(ctx); e != nil {
			return e
		}
		if jsonmsg.Text(next) == "" {
			return nil
		}
	}
	return nil
}

// listRequest asks for one page of the tools. The _meta is that of the host's
// request: the server is to see the same client. A progress token in it names a
// request of the host, so it is dropped.
func listRequest(id, meta, cursor json.RawMessage) []byte {
	var kept []jsonmsg.Member
	for _, m := range jsonmsg.Members(meta) {
		if m.Key != "progressToken" {
			kept = append(kept, m)
		}
	}
	params := []jsonmsg.Member{{Key: "_meta", Value: jsonmsg.Object(kept...)}}
	if cursor != nil {
		params = append(params, jsonmsg.Member{Key: "cursor", Value: cursor})
	}
	return jsonmsg.Object(
		jsonmsg.Member{Key: "jsonrpc", Value: jsonmsg.Quote("2.0")},
		jsonmsg.Member{Key: "id", Value: id},
		jsonmsg.Member{Key: "method", Value: jsonmsg.Quote(methodTools)},
		jsonmsg.Member{Key: "params", Value: jsonmsg.Object(params...)},
	)
}
