package bridge

import (
	"log/slog"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// A server may ask a host only for what the host has declared (MCP, lifecycle,
// "Capability negotiation"). What else it asks for reaches nobody: a model, a
// dialog or a list of folders that the host did not mean to lend (OAUTH X24).

// undeclared names the capability that a request of the server needs and that a
// legacy host lacks, "" if it may be passed on. A host that has not said
// initialize has declared nothing to compare with; a modern one is asked nothing
// at all (bridge.pass). Requests of kinds that are not known here are the host's
// to refuse.
func (b *bridge) undeclared(m jsonmsg.Message) string {
	path := needs(m)
	b.link.mu.Lock()
	params := jsonmsg.Lookup(b.link.first.Raw, "params")
	b.link.mu.Unlock()
	if path == nil || params == nil {
		return ""
	}
	declared := jsonmsg.Lookup(params, append([]string{"capabilities"}, path...)...)
	if len(declared) > 0 && declared[0] == '{' {
		return ""
	}
	return path[len(path)-1]
}

// needs is where the capability for a request stands among the host's; nil: it
// needs none. translate knows the same of what a modern server asks for.
func needs(m jsonmsg.Message) []string {
	switch m.Method {
	case "elicitation/create":
		if jsonmsg.Text(jsonmsg.Lookup(m.Raw, "params", "mode")) == "url" {
			return []string{"elicitation", "url"}
		}
		return []string{"elicitation"}
	case "sampling/createMessage":
		if jsonmsg.Lookup(m.Raw, "params", "tools") != nil {
			return []string{"sampling", "tools"}
		}
		return []string{"sampling"}
	case "roots/list":
		return []string{"roots"}
	}
	return nil
}

// decline answers a request of the server in the words that its host would have.
func (b *bridge) decline(m jsonmsg.Message, lacks string) {
	b.log.LogAttrs(b.ctx, slog.LevelDebug, "declined a request of the server", slog.String("method", printable.Word(m.Method)), slog.String("lacks", lacks))
	text := "the host program has not declared the capability " + lacks
	answer, err := jsonmsg.Scan(jsonmsg.ErrorReply(m.ID, jsonmsg.CodeMethod, text, nil))
	if err == nil {
		err = b.forward(parcel{msg: answer})
	}
	if err != nil {
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "the server was not told", slog.Any("error", err))
	}
}
