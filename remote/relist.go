package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
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
	c.tools.learn(answer.Raw, cursor(asked) == "")
	if !asked.Modern() {
		return answer
	}
	answer, out := c.tools.filter(answer)
	for _, t := range out {
		c.log.LogAttrs(ctx, slog.LevelWarn, "left a tool out of the list, its x-mcp-header is invalid",
			slog.String("tool", t.name), slog.Any("reason", t.reason))
	}
	return answer
}

// relist asks for the tools again, because a call's Mcp-Param headers were not
// what the server expects (RELAY H15).
func (c *Client) relist(ctx context.Context, call jsonmsg.Message) error {
	meta, err := json.Marshal(paramsOf(call).Meta)
	if err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	next := ""
	for range maxPages {
		line := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"method":%q,"params":{"_meta":%s}}`, c.ownID(), methodTools, meta)
		if next != "" {
			line = fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"method":%q,"params":{"_meta":%s,"cursor":%s}}`, c.ownID(), methodTools, meta, quote(next))
		}
		page, err := jsonmsg.Scan(line)
		if err != nil {
			return fmt.Errorf("asking for the tools: %w", err)
		}
		next = ""
		x := &exchange{client: c, verb: http.MethodPost, msg: page, own: true, hooks: Hooks{Deliver: func(m jsonmsg.Message) {
			if m.Kind == jsonmsg.Response {
				next = nextCursor(m)
			}
		}}}
		if e := x.do(ctx); e != nil {
			return e
		}
		if next == "" {
			return nil
		}
	}
	return nil
}

type listParams struct {
	Cursor string                     `json:"cursor"`
	Meta   map[string]json.RawMessage `json:"_meta"`
}

// paramsOf decodes what the lists need of a request that was scanned.
func paramsOf(m jsonmsg.Message) listParams {
	var p struct {
		Params listParams `json:"params"`
	}
	_ = json.Unmarshal(m.Raw, &p) // other types than these are the server's to refuse
	delete(p.Params.Meta, "progressToken")
	return p.Params
}

func cursor(m jsonmsg.Message) string { return paramsOf(m).Cursor }

func nextCursor(answer jsonmsg.Message) string {
	var p struct {
		Result struct {
			Next string `json:"nextCursor"`
		} `json:"result"`
	}
	_ = json.Unmarshal(answer.Raw, &p) // a bad one ends the list
	return p.Result.Next
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a string always encodes
	return b
}
