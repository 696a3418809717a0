package translate

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// reply answers a request of the host with a result of ours.
func (t *Translator) reply(h remote.Hooks, m jsonmsg.Message, result json.RawMessage) error {
	return deliver(h, envelope(m.ID, jsonmsg.Member{Key: "result", Value: result}))
}

// deliver hands a message of ours to the host.
func deliver(h remote.Hooks, raw []byte) error {
	m, err := scan(raw)
	if err == nil && h.Deliver != nil {
		h.Deliver(m)
	}
	return err
}

// levels are the log levels of RFC 5424, as MCP names them.
var levels = []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// setLevel remembers the log level. In the modern era each request carries it.
func (t *Translator) setLevel(h remote.Hooks, m jsonmsg.Message) error {
	level := jsonmsg.Text(jsonmsg.Lookup(m.Raw, "params", "level"))
	if !slices.Contains(levels, level) {
		return fail(h, m, codeParams, kindBadMessage, "the level is none of debug, info, notice, warning, error, critical, alert, emergency")
	}
	t.level.Store(&level)
	return t.reply(h, m, jsonmsg.Object())
}

// subscribe keeps the URIs that the host wants to hear of; subscriptions/listen
// carries them. It answers when the server has taken over the change, so that
// what the host reads next is not older than what it hears.
func (t *Translator) subscribe(ctx context.Context, p *pair, m jsonmsg.Message, h remote.Hooks) error {
	uri := jsonmsg.Text(jsonmsg.Lookup(m.Raw, "params", "uri"))
	switch {
	case uri == "":
		return fail(h, m, codeParams, kindBadMessage, "the uri is missing")
	case !p.serves("resources", "subscribe"):
		return fail(h, m, codeMethod, kindUnsupported, "the server does not tell of changes of a resource")
	case !t.topics.want(uri, m.Method == methodSubscribe):
		return fail(h, m, jsonmsg.CodeInternal, kindUnsupported, "too many resources are subscribed to")
	}
	t.topics.wait(ctx)
	return t.reply(h, m, jsonmsg.Object())
}

// serves reports whether the server declared a capability: true in its place.
func (p *pair) serves(path ...string) bool {
	return string(jsonmsg.Lookup(p.server, path...)) == "true"
}
