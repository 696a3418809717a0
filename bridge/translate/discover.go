package translate

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const methodDiscover = "server/discover"

const noCommonEra = "PayU: the server takes neither initialize nor a protocol version that payu-mcp knows (" + remote.ModernVersion + ")"

// initialize finds out whether there is something to translate. A server that
// answers the host's own initialize is legacy enough; one that is known as
// modern is not bothered with it (RELAY H17, M2). If one way turns out to be
// shut, the other is tried, once.
func (t *Translator) initialize(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
	t.reset()
	ways := []func(context.Context, jsonmsg.Message, remote.Hooks) (bool, error){t.plain, t.discover}
	if t.era().TakesModern() {
		slices.Reverse(ways)
	}
	for _, way := range ways {
		if settled, err := way(ctx, m, h); settled || err != nil {
			return err
		}
	}
	return fail(h, m, jsonmsg.CodeInternal, kindUnsupported, noCommonEra)
}

// reset forgets what an earlier initialize of the host settled.
func (t *Translator) reset() {
	t.pair.Store(nil)
	t.level.Store(nil)
	t.topics.reset()
}

// plain sends the host's initialize as it is. It is not settled if the server
// refuses it in the modern way.
func (t *Translator) plain(ctx context.Context, m jsonmsg.Message, h remote.Hooks) (settled bool, err error) {
	settled = true
	pass := h.Deliver
	h.Deliver = func(r jsonmsg.Message) {
		if r.Kind == jsonmsg.Response && remote.IsModernCode(r.ErrorCode()) {
			settled = false
			return
		}
		if pass != nil {
			pass(r)
		}
	}
	err = t.up.Do(ctx, m, h)
	return settled, err
}

// discover asks the server with server/discover and answers the host's
// initialize from it. It is not settled if the server turns out to be legacy.
// An error is one for the host's initialize, which may come again: after a
// sign-in it does.
func (t *Translator) discover(ctx context.Context, m jsonmsg.Message, h remote.Hooks) (settled bool, err error) {
	p := newPair(m)
	answer, err := t.ask(ctx, p, h)
	if err == nil && answer.ErrorCode() == codeVersion && speaks(answer, remote.ModernVersion) {
		answer, err = t.ask(ctx, p, h) // RELAY L4
	}
	if fault, is := errors.AsType[*remote.Error](err); is && fault.Kind == remote.KindRefused {
		return false, nil
	}
	switch code := answer.ErrorCode(); {
	case err != nil || answer.Kind == 0:
		return true, err
	case code == codeVersion && speaks(answer, remote.LegacyVersions()...), answer.IsError && !remote.IsModernCode(code):
		return false, nil
	case answer.IsError:
		return true, fail(h, m, jsonmsg.CodeInternal, kindUnsupported, "PayU: "+plainly(answer).Error())
	case !speaks(answer, remote.ModernVersion) && speaks(answer, remote.LegacyVersions()...):
		return false, nil
	}
	return true, t.open(p, m, h, answer)
}

// ask sends server/discover once. What else comes on its stream is dropped: a
// host expects nothing before the answer to its initialize (RELAY L1).
func (t *Translator) ask(ctx context.Context, p *pair, h remote.Hooks) (answer jsonmsg.Message, err error) {
	m, err := t.own(p, methodDiscover)
	if err != nil {
		return answer, err
	}
	h.Deliver = func(r jsonmsg.Message) {
		if r.Kind == jsonmsg.Response {
			answer = r
		}
	}
	err = t.up.Do(ctx, m, h)
	return answer, err
}

// speaks reports whether a server names one of these versions: in the result of
// server/discover, or in the error about the version.
func speaks(answer jsonmsg.Message, versions ...string) bool {
	path := []string{"result", "supportedVersions"}
	if answer.IsError {
		path = []string{"error", "data", "supported"}
	}
	return slices.ContainsFunc(texts(jsonmsg.Lookup(answer.Raw, path...)), func(v string) bool {
		return slices.Contains(versions, v)
	})
}

// open starts to translate and answers the host's initialize.
func (t *Translator) open(p *pair, m jsonmsg.Message, h remote.Hooks, discovered jsonmsg.Message) error {
	result := jsonmsg.Lookup(discovered.Raw, "result")
	if p.server = jsonmsg.Lookup(result, "capabilities"); !isObject(p.server) {
		p.server = jsonmsg.Object()
	}
	told, err := told(p.server)
	if err != nil {
		return err
	}
	info := jsonmsg.Lookup(result, "_meta", metaServerInfo)
	if !isObject(info) {
		info = json.RawMessage(`{"name":"MCP server","version":"unknown"}`)
	}
	members := []jsonmsg.Member{
		{Key: "protocolVersion", Value: jsonmsg.Quote(remote.LegacyAnswer(m.Version))},
		{Key: "capabilities", Value: told},
		{Key: "serverInfo", Value: info},
	}
	if text := jsonmsg.Lookup(result, "instructions"); len(text) > 0 && text[0] == '"' {
		members = append(members, jsonmsg.Member{Key: "instructions", Value: text})
	}
	t.pair.Store(p) // before the host reads the answer: what it sends next is translated
	t.topics.reset()
	t.log.Debug("translating between a legacy host and a modern server")
	return t.reply(h, m, jsonmsg.Object(members...))
}

// told is what the host hears of the server's capabilities: all as written, but
// that lists may always change, since the bridge says so of its own too.
func told(server json.RawMessage) (json.RawMessage, error) {
	changes := jsonmsg.Member{Key: "listChanged", Value: json.RawMessage("true")}
	for _, list := range []string{"tools", "prompts", "resources"} {
		if !isObject(jsonmsg.Lookup(server, list)) {
			continue
		}
		var err error
		if server, err = jsonmsg.Set(server, []string{list}, changes); err != nil {
			return nil, err
		}
	}
	return server, nil
}
