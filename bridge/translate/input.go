package translate

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// What a server may ask for (MCP 2026-07-28, multi round-trip requests).
const (
	methodElicit = "elicitation/create"
	methodSample = "sampling/createMessage"
	methodRoots  = "roots/list"
)

// cancelled answers an elicitation that the host could not do: nobody has made
// a choice. A decline would be one.
const cancelled = `{"action":"cancel"}`

// asks are our requests to the host that wait for an answer.
type asks struct {
	mu   sync.Mutex
	open map[string]chan jsonmsg.Message
}

// begin opens the wait for one answer.
func (a *asks) begin(id json.RawMessage) (answer <-chan jsonmsg.Message, end func()) {
	key, c := jsonmsg.Key(id), make(chan jsonmsg.Message, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = make(map[string]chan jsonmsg.Message)
	}
	a.open[key] = c
	return c, func() { a.take(key) }
}

// take ends the wait for an answer, which is due once.
func (a *asks) take(key string) chan jsonmsg.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.open[key]
	delete(a.open, key)
	return c
}

// answered takes a response of the host. None goes to a modern server (RELAY
// H11); one that nobody waits for goes nowhere.
func (t *Translator) answered(ctx context.Context, m jsonmsg.Message) {
	if c := t.asks.take(jsonmsg.Key(m.ID)); c != nil {
		c <- m
		return
	}
	t.log.LogAttrs(ctx, slog.LevelDebug, "dropped an answer of the host that nobody waits for")
}

// input gets from the host what an input_required result asks for, as members
// of params for the next round: requestState exactly as it came, none if there
// was none. nil: the host's request has been answered instead.
func (x *exchange) input(ctx context.Context, wants []byte, round int) ([]jsonmsg.Member, error) {
	requests, state := jsonmsg.Lookup(wants, "inputRequests"), jsonmsg.Lookup(wants, "requestState")
	if requests == nil && state == nil || requests != nil && !isObject(requests) {
		return nil, x.giveUp(x.hooks, x.host, kindBadAnswer, "the server wants more input but does not say which")
	}
	var members []jsonmsg.Member
	if requests != nil {
		if lacks := x.pair.lacks(requests); lacks != "" {
			return nil, x.giveUp(x.hooks, x.host, kindUnsupported,
				"the server wants to ask something through the host program, which cannot do that: "+lacks+" is missing, so the request could not be finished")
		}
		responses, err := x.collect(ctx, jsonmsg.Members(requests))
		if err != nil || responses == nil {
			return nil, err
		}
		members = append(members, jsonmsg.Member{Key: "inputResponses", Value: responses})
	}
	if state != nil {
		members = append(members, jsonmsg.Member{Key: "requestState", Value: state})
	}
	if len(jsonmsg.Members(requests)) == 0 && !sleep(ctx, pause(firstBusy, 0, round)) { // the server is busy
		return nil, ended(ctx)
	}
	return members, nil
}

// lacks names the capability that the host would need for the requests and did
// not declare, "" if there is none (RELAY L8).
func (p *pair) lacks(requests json.RawMessage) string {
	for _, r := range jsonmsg.Members(requests) {
		path := needs(r.Value)
		if path == nil {
			return "a way to answer requests of this kind"
		}
		if jsonmsg.Lookup(p.host, path...) == nil {
			return path[len(path)-1] + " (" + path[0] + ")"
		}
	}
	return ""
}

// needs is where the capability for a request stands among the host's.
func needs(request json.RawMessage) []string {
	switch jsonmsg.Text(jsonmsg.Lookup(request, "method")) {
	case methodElicit:
		if elicitsURL(request) {
			return []string{"elicitation", "url"}
		}
		return []string{"elicitation"}
	case methodSample:
		if jsonmsg.Lookup(request, "params", "tools") != nil {
			return []string{"sampling", "tools"}
		}
		return []string{"sampling"}
	case methodRoots:
		return []string{"roots"}
	}
	return nil
}

func elicitsURL(request json.RawMessage) bool {
	return jsonmsg.Text(jsonmsg.Lookup(request, "params", "mode")) == "url"
}
