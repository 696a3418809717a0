package bridge

import (
	"encoding/json"
	"errors"
	"slices"

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

// The annotations of the three, and the schemas of their arguments.
const (
	hintsLogin    = `{"readOnlyHint":false,"destructiveHint":false,"idempotentHint":true,"openWorldHint":true}`
	hintsRead     = `{"readOnlyHint":true,"idempotentHint":false,"openWorldHint":true}`
	hintsCall     = `{"readOnlyHint":false,"destructiveHint":true,"idempotentHint":false,"openWorldHint":true}`
	schemaNothing = `{"type":"object","properties":{},"additionalProperties":false}`
	schemaCall    = `{"type":"object","properties":{"name":{"type":"string","description":"Name of the tool, as payu_list_tools gives it"},` +
		`"arguments":{"type":"object","description":"Arguments of that tool, after its inputSchema"}},"required":["name"],"additionalProperties":false}`
)

// ownTools is the result of tools/list that has them. readOnly: nothing but tools
// that only read can be used with them.
func ownTools(modern, readOnly bool) json.RawMessage {
	call := hintsCall
	if readOnly {
		call = hintsRead
	}
	tools := slices.Concat([]byte("["),
		describe(toolLogin, "Sign in to PayU", descriptionLogin, schemaNothing, hintsLogin),
		[]byte(","),
		describe(toolList, "List the tools of PayU", descriptionList, schemaNothing, hintsRead),
		[]byte(","),
		describe(toolCall, "Use a tool of PayU", descriptionCall, schemaCall, call),
		[]byte("]"))
	result := jsonmsg.Object(jsonmsg.Member{Key: catalogue.ItemsOf(methodTools), Value: tools})
	if modern {
		return complete(result)
	}
	return result
}

// describe writes one of them (MCP 2025-11-25, schema, Tool); schema and annotations
// are JSON.
func describe(name, title, description, schema, annotations string) json.RawMessage {
	return jsonmsg.Object(
		jsonmsg.Member{Key: "name", Value: jsonmsg.Quote(name)},
		jsonmsg.Member{Key: "title", Value: jsonmsg.Quote(title)},
		jsonmsg.Member{Key: "description", Value: jsonmsg.Quote(description)},
		jsonmsg.Member{Key: "inputSchema", Value: json.RawMessage(schema)},
		jsonmsg.Member{Key: "annotations", Value: json.RawMessage(annotations)})
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
