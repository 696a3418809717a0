package bridge

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// The tools of our own, for a host that cannot be given the server's list when it
// asks, and may never ask again (HOSTS P3).
const (
	toolLogin = "payu_login"
	toolList  = "payu_list_tools"
	toolCall  = "payu_call_tool"
)

func isOwnName(name string) bool {
	return slices.Contains([]string{toolLogin, toolList, toolCall}, name)
}

// ownTools is the result of tools/list that has them. readOnly: nothing but tools
// that only read can be used with them.
func ownTools(modern, readOnly bool) json.RawMessage {
	yes, no := true, false
	destructive := &yes
	if readOnly {
		destructive = nil
	}
	nothing := json.RawMessage(`{"type":"object","properties":{},"additionalProperties":false}`)
	tools := []*mcp.Tool{
		{
			Name: toolLogin, Title: "Sign in to PayU", Description: descriptionLogin, InputSchema: nothing,
			Annotations: &mcp.ToolAnnotations{DestructiveHint: &no, IdempotentHint: true, OpenWorldHint: &yes},
		},
		{
			Name: toolList, Title: "List the tools of PayU", Description: descriptionList, InputSchema: nothing,
			Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: &yes},
		},
		{
			Name: toolCall, Title: "Use a tool of PayU", Description: descriptionCall,
			InputSchema: json.RawMessage(`{"type":"object","properties":{"name":{"type":"string","description":"Name of the tool, as payu_list_tools gives it"},` +
				`"arguments":{"type":"object","description":"Arguments of that tool, after its inputSchema"}},"required":["name"],"additionalProperties":false}`),
			Annotations: &mcp.ToolAnnotations{ReadOnlyHint: readOnly, DestructiveHint: destructive, OpenWorldHint: &yes},
		},
	}
	result := jsonmsg.Object(jsonmsg.Member{Key: catalogue.ItemsOf(methodTools), Value: encode(tools)})
	if modern {
		return complete(result)
	}
	return result
}

// useOwnTool serves a call of one of them.
func (b *bridge) useOwnTool(f *flight) {
	if f.msg.Name == toolCall {
		inner, err := innerCall(f.msg)
		if err == nil && b.brakes.policy != nil {
			err = policy.CheckInner(jsonmsg.Lookup(f.msg.Raw, "params", "arguments"))
		}
		if err != nil {
			b.text(f, bad(sentenceBadInner))
			return
		}
		f.instead = &inner
		b.call(f, b.state.get().needsLogin())
		return
	}
	shown, ok := b.resume(f)
	switch {
	case !ok:
		return
	case b.login == nil: // no sign-in can be had at all
		b.fail(f, signInFirst())
		return
	}
	how := How{Again: f.msg.Name == toolLogin}
	tools, ok := b.toolsOnceSignedIn(f, how, shown)
	switch {
	case !ok:
	case how.Again:
		b.text(f, good(sentenceSignedIn))
	default: // for a model whose host does not list again
		b.giveText(f, textList+string(tools), false)
	}
}

// toolsOnceSignedIn gets the server's list of tools, and somebody to sign in for
// it if that is needed: only the server can tell that a login works. If it fails,
// the call is answered.
func (b *bridge) toolsOnceSignedIn(f *flight, how How, shown bool) (tools json.RawMessage, ok bool) {
	if b.state.get().needsLogin() && !b.letIn(f, how, shown) {
		return nil, false
	}
	result, err := b.collectTools(f)
	if errors.Is(err, remote.ErrSignIn) && b.letIn(f, how, shown) {
		result, err = b.collectTools(f)
	}
	if err != nil {
		b.text(f, textNoList(err)) // not heard if letIn has answered
		return nil, false
	}
	b.book.learnList(methodTools, result)
	b.waitSettled(f.ctx)
	return b.visible(result), true
}

func (b *bridge) collectTools(f *flight) (json.RawMessage, error) {
	if !f.msg.Modern() {
		if err := b.ready(f.ctx); err != nil {
			return nil, err
		}
	}
	result, err := b.collect(f.ctx, methodTools)
	b.learn(err)
	return result, err
}

// innerCall makes the call that payu_call_tool asks for: of the same id, with
// what the host says about it, and with the bytes of the arguments as they are.
func innerCall(m jsonmsg.Message) (jsonmsg.Message, error) {
	params := jsonmsg.Lookup(m.Raw, "params")
	arguments := jsonmsg.Lookup(params, "arguments")
	name := jsonmsg.Lookup(arguments, "name")
	if text := jsonmsg.Text(name); text == "" || isOwnName(text) {
		return m, jsonmsg.ErrInvalid
	}
	members := []jsonmsg.Member{{Key: "name", Value: name}}
	if inner := jsonmsg.Lookup(arguments, "arguments"); inner != nil {
		members = append(members, jsonmsg.Member{Key: "arguments", Value: inner})
	}
	members = append(members, only(jsonmsg.Members(params), func(key string) bool { return key != "name" && key != "arguments" })...)
	raw, err := jsonmsg.Set(m.Raw, nil, jsonmsg.Member{Key: "params", Value: jsonmsg.Object(members...)})
	if err != nil {
		return m, err
	}
	return jsonmsg.Scan(raw)
}
