package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// The brakes hold the policy against what passes: each message of the host, each
// call right before it is sent, each list on its way to the host. Without a
// policy nothing here looks at anything.

// listAge is how long a list of tools is good for judging calls, if the server
// does not say earlier that it has changed.
const listAge = 10 * time.Minute

// brakes are the policy, and the server's list that calls are judged by: one that
// it has given in this process, never a saved one, which may be of another day.
type brakes struct {
	policy *policy.Policy // nil: everything passes

	asking chan struct{} // held while the server is asked for its list

	mu    sync.Mutex
	tools policy.Tools // nil: none
	at    time.Time    // when it was asked for
	news  int          // counts what makes a list out of date
}

// mark is to be taken before a list is asked for, and given to learn with it.
func (k *brakes) mark() int {
	if k.policy == nil {
		return 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.news
}

// learn takes a complete list of tools, unless news have come since it was asked
// for.
func (k *brakes) learn(mark int, method string, result json.RawMessage) {
	if k.policy == nil || method != methodTools {
		return
	}
	tools := policy.ToolsOf(result)
	k.mu.Lock()
	defer k.mu.Unlock()
	if mark == k.news {
		k.tools, k.at = tools, time.Now()
	}
}

// outdate gives the list up.
func (k *brakes) outdate() {
	if k.policy == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tools = nil
	k.news++
}

// known returns the list to judge by; nil: there is none that is good.
func (k *brakes) known() policy.Tools {
	k.mu.Lock()
	defer k.mu.Unlock()
	if waited(k.at) > listAge {
		return nil
	}
	return k.tools
}

// heed notes that the server says its tools have changed.
func (b *bridge) heed(m jsonmsg.Message) {
	if m.Method == methodToolsChanged {
		b.brakes.outdate()
	}
}

// sift takes what a host is not to see out of a list of tools on its way to it.
// A page tells of changes too.
func (b *bridge) sift(f *flight, m jsonmsg.Message) jsonmsg.Message {
	if b.brakes.policy == nil || m.Kind != jsonmsg.Response || f.msg.Method != methodTools {
		return m
	}
	if jsonmsg.Lookup(f.msg.Raw, "params", "cursor") != nil {
		b.brakes.outdate()
	}
	m.Raw = b.brakes.policy.Filter(m.Raw, "result")
	return m
}

// siftResult does the same with a result.
func (b *bridge) siftResult(method string, result json.RawMessage) json.RawMessage {
	if b.brakes.policy == nil || method != methodTools {
		return result
	}
	return b.brakes.policy.Filter(result)
}

// admits reports whether a message of the host can be judged at all. A call that
// wants no answer would run unseen, so it is none.
func (b *bridge) admits(m jsonmsg.Message) bool {
	if b.brakes.policy == nil {
		return !b.unrecordable(m)
	}
	_, call, err := policy.Read(m.Raw)
	switch {
	case err != nil && m.Kind == jsonmsg.Request:
		b.reject(m, jsonmsg.CodeInvalid, err)
	case err != nil || call && m.Kind != jsonmsg.Request:
		b.log.LogAttrs(b.ctx, slog.LevelWarn, "dropped a message of the host that cannot be judged", slog.Any("error", err))
	default:
		return true
	}
	return false
}

// hopeless answers a call that no list of tools could save, before anybody is
// asked to sign in for it.
func (b *bridge) hopeless(f *flight) bool {
	if b.brakes.policy == nil {
		return false
	}
	name, v := b.judge(f, nil)
	return v != policy.NeedsList && !b.obey(f, name, v)
}

// errSlowList: the host may have given a call up that waited for the list, and have
// asked again, as after a sign-in (maxPause). The next one finds the list.
var errSlowList = &remote.Error{Kind: remote.KindTimeout}

// permit reports whether a call may be sent now. If not, it is answered, but for
// an error that a sign-in may help against.
func (b *bridge) permit(f *flight) (bool, error) {
	if b.brakes.policy == nil {
		return true, nil
	}
	name, v := b.judge(f, b.brakes.known())
	if v == policy.NeedsList {
		begun := time.Now()
		tools, err := b.listForCall(f)
		if waited(begun) > maxPause && !tools[name] && err == nil {
			err = errSlowList
		}
		switch {
		case errors.Is(err, remote.ErrSignIn) && b.login != nil:
			return false, err
		case err != nil:
			b.text(f, textUnjudged(err))
			return false, nil
		}
		name, v = b.judge(f, tools)
	}
	return b.obey(f, name, v), nil
}

// judge reads the bytes that are to be sent.
func (b *bridge) judge(f *flight, tools policy.Tools) (name string, v policy.Verdict) {
	name, call, err := policy.Read(f.sending().Raw)
	if err != nil || !call {
		return "", policy.BadName
	}
	return name, b.brakes.policy.Judge(name, tools)
}

// obey reports whether a call passes, and answers it if not.
func (b *bridge) obey(f *flight, name string, v policy.Verdict) bool {
	switch v {
	case policy.Pass:
		return true
	case policy.Ask:
		return b.confirmed(f, name)
	case policy.NeedsList, policy.BadName, policy.Blocked, policy.NotAllowed, policy.Unlisted, policy.Writes:
	}
	b.text(f, textForbidden(v, name))
	return false
}

// listForCall gets the server's list of tools, once for all calls that wait for
// it.
func (b *bridge) listForCall(f *flight) (policy.Tools, error) {
	select {
	case b.brakes.asking <- struct{}{}:
		defer func() { <-b.brakes.asking }()
	case <-f.ctx.Done():
		return nil, &remote.Error{Kind: remote.KindCancelled}
	}
	if tools := b.brakes.known(); tools != nil {
		return tools, nil
	}
	b.lendMeta(f)
	result, err := b.collectTools(f)
	if err != nil {
		return nil, err
	}
	b.book.learnList(methodTools, result)
	return policy.ToolsOf(result), nil
}

// lendMeta lets our own requests say what a modern call says of its host, if
// nothing else has said it yet.
func (b *bridge) lendMeta(f *flight) {
	if f.msg.Modern() && b.book.lastMeta() == nil {
		b.book.keepMeta(f.msg)
	}
}

// visible is the list of tools in a result, as the host may see it.
func (b *bridge) visible(result json.RawMessage) json.RawMessage {
	return jsonmsg.Lookup(b.siftResult(methodTools, result), catalogue.ItemsOf(methodTools))
}

// collect asks the server for a whole list, on our own behalf.
func (b *bridge) collect(ctx context.Context, method string) (result []byte, err error) {
	meta := b.book.lastMeta()
	if !b.modern.Load() {
		meta = nil
	}
	mark := b.brakes.mark()
	result, err = catalogue.CollectList(ctx, b.remote, method, meta)
	if err == nil {
		b.brakes.learn(mark, method, result)
	}
	return result, err
}
