package translate

import (
	"context"
	"encoding/json"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// question is one input request on its way to the host.
type question struct {
	key    string // the server's name for it
	method string
	id     json.RawMessage
	answer <-chan jsonmsg.Message
	end    func() // nobody waits for the answer any more
}

// collect asks the host all that the server wants to know, at once, and returns
// the inputResponses. nil: the host's request has been answered instead.
func (x *exchange) collect(ctx context.Context, requests []jsonmsg.Member) (json.RawMessage, error) {
	open := make([]question, 0, len(requests))
	defer func() {
		for _, q := range open {
			q.end()
			x.withdraw(q)
		}
	}()
	for _, r := range requests {
		q, err := x.pose(r)
		if err != nil {
			return nil, err
		}
		open = append(open, q)
	}
	responses := make([]jsonmsg.Member, 0, len(requests))
	for len(open) > 0 {
		q := open[0]
		select {
		case a := <-q.answer:
			open = open[1:]
			value := reading(q.method, a)
			if value == nil {
				return nil, x.giveUp(x.hooks, x.host, kindUnsupported,
					"the host program refused what the server asked of it ("+q.method+"), so the request could not be finished")
			}
			responses = append(responses, jsonmsg.Member{Key: q.key, Value: value})
		case <-ctx.Done():
			return nil, ended(ctx)
		}
	}
	return jsonmsg.Object(responses...), nil
}

// pose sends one input request to the host as a request of ours, with an id
// from our own space (RELAY O6).
func (x *exchange) pose(r jsonmsg.Member) (q question, err error) {
	q = question{key: r.Key, method: jsonmsg.Text(jsonmsg.Lookup(r.Value, "method")), id: x.numbers.next()}
	members := []jsonmsg.Member{{Key: "method", Value: jsonmsg.Quote(q.method)}}
	params := jsonmsg.Lookup(r.Value, "params")
	if elicitsURL(r.Value) && jsonmsg.Lookup(params, "elicitationId") == nil {
		// 2025-11-25 demands one, 2026-07-28 has dropped it.
		if params, err = jsonmsg.Set(params, nil, jsonmsg.Member{Key: "elicitationId", Value: q.id}); err != nil {
			return q, err
		}
	}
	if params != nil {
		members = append(members, jsonmsg.Member{Key: "params", Value: params})
	}
	q.answer, q.end = x.asks.begin(q.id)
	if err := deliver(x.hooks, envelope(q.id, members...)); err != nil {
		q.end()
		return q, err
	}
	return q, nil
}

// withdraw tells the host that a question needs no answer any more, so that no
// dialog stays open.
func (x *exchange) withdraw(q question) {
	_ = deliver(x.hooks, jsonmsg.Object( // it always scans
		jsonmsg.Member{Key: "jsonrpc", Value: json.RawMessage(`"2.0"`)},
		jsonmsg.Member{Key: "method", Value: jsonmsg.Quote(methodCancelled)},
		jsonmsg.Member{Key: "params", Value: jsonmsg.Object(jsonmsg.Member{Key: "requestId", Value: q.id})},
	))
}

// reading is the server's view of an answer of the host; nil if it has none for
// an error.
func reading(method string, answer jsonmsg.Message) json.RawMessage {
	if !answer.IsError {
		return jsonmsg.Lookup(answer.Raw, "result")
	}
	if method == methodElicit {
		return json.RawMessage(cancelled)
	}
	return nil
}

// ended is the error of a request that nobody waits for any more.
func ended(ctx context.Context) error {
	return &remote.Error{Kind: remote.KindCancelled, Err: context.Cause(ctx)}
}
