package bridge

import (
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// firstLimit is how long the server has for the first answer, and for a list
// that is known from before (RELAY B8).
const firstLimit = time.Second

// openSession answers initialize. The server's own answer passes as it is, but
// the host does not wait for it longer than a second, nor at all if it is known
// from before; then the session is made behind the host's back.
func (b *bridge) openSession(f *flight, a action) {
	b.book.open(f.msg.Version)
	b.link.begin(f.msg)
	saved := b.book.opening()
	switch {
	case saved != nil:
		b.give(f, withChanges(saved))
	case a == own:
		b.giveOurOpening(f)
	default:
		t := time.AfterFunc(firstLimit, func() {
			b.silent()
			b.giveOurOpening(f)
		})
		defer t.Stop()
	}
	if a == own {
		return
	}
	r := b.link.join(b.connect)
	if r == nil || saved != nil {
		return
	}
	select {
	case <-r.done:
	case <-f.ctx.Done():
		return
	}
	if r.err != nil {
		level := slog.LevelWarn
		if errors.Is(r.err, remote.ErrSignIn) {
			level = slog.LevelDebug // every first start is like that
		}
		b.log.LogAttrs(b.ctx, level, "the server did not open a session", slog.Any("error", r.err))
		b.giveOurOpening(f)
		return
	}
	b.pass(f, r.answer)
}

// giveOurOpening answers initialize or server/discover with our own opening,
// unless there is an answer already.
func (b *bridge) giveOurOpening(f *flight) {
	text := instructions(b.state.get())
	result := ourOpening(f.msg.Version, text)
	if f.msg.Modern() {
		result = ourDiscovery(text)
	}
	b.give(f, result, b.book.tellOurOpening)
}

// ourOpening is the result of initialize while the server's is not to be had.
// It promises all kinds of lists, since what the server has is not known; those
// that it lacks are answered empty (RELAY S1).
func ourOpening(version, text string) json.RawMessage {
	return jsonmsg.Object(
		jsonmsg.Member{Key: "protocolVersion", Value: jsonmsg.Quote(remote.LegacyAnswer(version))},
		jsonmsg.Member{Key: "capabilities", Value: json.RawMessage(ourCapabilities)},
		jsonmsg.Member{Key: "serverInfo", Value: self()},
		jsonmsg.Member{Key: "instructions", Value: jsonmsg.Quote(text)})
}

// ourDiscovery is the same for server/discover.
func ourDiscovery(text string) json.RawMessage {
	return complete(jsonmsg.Object(
		jsonmsg.Member{Key: "supportedVersions", Value: json.RawMessage(`["` + remote.ModernVersion + `"]`)},
		jsonmsg.Member{Key: "capabilities", Value: json.RawMessage(ourCapabilities)},
		jsonmsg.Member{Key: "_meta", Value: jsonmsg.Object(jsonmsg.Member{Key: "io.modelcontextprotocol/serverInfo", Value: self()})},
		jsonmsg.Member{Key: "instructions", Value: jsonmsg.Quote(text)},
	))
}

const ourCapabilities = `{"prompts":{"listChanged":true},"resources":{"listChanged":true},"tools":{"listChanged":true}}`

// self is the Implementation that we are.
func self() json.RawMessage {
	return jsonmsg.Object(
		jsonmsg.Member{Key: "name", Value: jsonmsg.Quote(source)},
		jsonmsg.Member{Key: "title", Value: jsonmsg.Quote("PayU")},
		jsonmsg.Member{Key: "version", Value: jsonmsg.Quote(buildinfo.Version())})
}

// withChanges is a saved opening as the host gets it: lists may always change,
// since the bridge says so of its own too (HOSTS P2).
func withChanges(saved json.RawMessage) json.RawMessage {
	for _, list := range []string{"tools", "prompts", "resources"} {
		if jsonmsg.Lookup(saved, "capabilities", list) == nil {
			continue
		}
		told, err := jsonmsg.Set(saved, []string{"capabilities", list}, jsonmsg.Member{Key: "listChanged", Value: json.RawMessage("true")})
		if err == nil {
			saved = told
		}
	}
	return saved
}

// complete makes a result one of the modern era, which is not to be cached.
func complete(result json.RawMessage) json.RawMessage {
	return with(result,
		jsonmsg.Member{Key: "resultType", Value: jsonmsg.Quote("complete")},
		jsonmsg.Member{Key: "ttlMs", Value: json.RawMessage("0")},
		jsonmsg.Member{Key: "cacheScope", Value: jsonmsg.Quote("private")})
}

// with sets members of a result; what is no object stays as it is.
func with(result json.RawMessage, members ...jsonmsg.Member) json.RawMessage {
	if told, err := jsonmsg.Set(result, nil, members...); err == nil {
		return told
	}
	return result
}

// ping answers a host that asks whether we live: we do, whatever the server says.
func (b *bridge) ping(f *flight, a action) {
	if a == own || b.book.opening() != nil && !f.msg.Modern() {
		b.give(f, jsonmsg.Object())
		return
	}
	t := time.AfterFunc(firstLimit, func() { b.give(f, jsonmsg.Object()) })
	defer t.Stop()
	if err := b.relay(f); err != nil {
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "the server did not answer a ping", slog.Any("error", err))
	}
	b.give(f, jsonmsg.Object()) // heard only if the server has not answered
}
