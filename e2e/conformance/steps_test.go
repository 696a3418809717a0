package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// play is what the steps of a scenario work with.
type play struct {
	host    host
	pipes   *stdio
	context scenarioContext
}

// steps are what a host does in a scenario once it is connected.
type steps func(ctx context.Context, p *play) error

// stepsOf returns the steps that make a scenario's checks happen.
func stepsOf(scenario string) steps {
	switch {
	case scenario == "auth/authorization-server-migration":
		return callBeforeAndAfter
	case strings.HasPrefix(scenario, "auth/"):
		return callTestTool
	case scenario == "elicitation-sep1034-client-defaults":
		return callWithStream
	case scenario == "sep-2322-client-request-state":
		return manyRounds
	case scenario == "http-standard-headers":
		return useAll
	case scenario == "http-custom-headers":
		return callAsTold
	case scenario == "initialize", scenario == "request-metadata", scenario == "json-schema-ref-no-deref":
		return justList
	default: // tools_call, sse-retry, http-invalid-tool-headers
		return callAll
	}
}

type tool struct {
	Name        string
	InputSchema schema
}

// served lists the tools of the server. On a busy machine it may be slower than
// the bridge waits for it; then the list changes as soon as it is there.
func (p *play) served(ctx context.Context) ([]tool, error) {
	for {
		tools, err := p.list(ctx)
		if err != nil || !slices.ContainsFunc(tools, func(t tool) bool { return t.Name == "payu_login" }) {
			return tools, err
		}
		select {
		case <-p.pipes.moved:
		case <-ctx.Done():
			return nil, errors.New("the bridge does not give the server's tools")
		}
	}
}

func (p *play) list(ctx context.Context) ([]tool, error) {
	raw, err := p.host.request(ctx, "tools/list", map[string]any{})
	if err != nil {
		return nil, err
	}
	var r struct{ Tools []tool }
	if err := json.Unmarshal(raw, &r); err != nil || r.Tools == nil {
		return nil, fmt.Errorf("tools/list has no list: %s", raw)
	}
	return r.Tools, nil
}

func (p *play) call(ctx context.Context, name string, args map[string]any) error {
	raw, err := p.host.request(ctx, "tools/call", map[string]any{"name": name, "arguments": args})
	if err != nil {
		return fmt.Errorf("calling %s: %w", name, err)
	}
	var r struct {
		Content []json.RawMessage
		IsError bool
	}
	if err := json.Unmarshal(raw, &r); err != nil || r.IsError || len(r.Content) == 0 {
		return fmt.Errorf("calling %s: %s", name, raw)
	}
	return nil
}

func justList(ctx context.Context, p *play) error {
	_, err := p.served(ctx)
	return err
}

// callTestTool lists what there is while nobody is signed in, and signs in by a
// call, as a host does.
func callTestTool(ctx context.Context, p *play) error {
	if _, err := p.list(ctx); err != nil {
		return err
	}
	return p.call(ctx, "test-tool", map[string]any{})
}

// callBeforeAndAfter asks again: after the first request with a token the server
// moves to another authorization server, so the call that has signed in may be
// told that the new login is refused.
func callBeforeAndAfter(ctx context.Context, p *play) error {
	_ = callTestTool(ctx, p)
	return callTestTool(ctx, p)
}

// callAll calls each tool that it is offered, with arguments that fit.
func callAll(ctx context.Context, p *play) error {
	tools, err := p.served(ctx)
	if err != nil {
		return err
	}
	if len(tools) == 0 {
		return fmt.Errorf("no tool is offered")
	}
	for _, t := range tools {
		if err := p.call(ctx, t.Name, t.InputSchema.filled()); err != nil {
			return err
		}
	}
	return nil
}

// callWithStream calls a tool that asks the host something outside the call.
func callWithStream(ctx context.Context, p *play) error {
	if err := awaitStream(ctx); err != nil {
		return err
	}
	return callAll(ctx, p)
}

// callAsTold makes the calls that the scenario's context holds.
func callAsTold(ctx context.Context, p *play) error {
	if err := justList(ctx, p); err != nil {
		return err
	}
	for _, c := range p.context.ToolCalls {
		if err := p.call(ctx, c.Name, c.Arguments); err != nil {
			return err
		}
	}
	return nil
}

// manyRounds calls another tool while the first waits for its answer: neither
// may get the other's state.
func manyRounds(ctx context.Context, p *play) error {
	if err := justList(ctx, p); err != nil {
		return err
	}
	answer := p.pipes.serve
	p.pipes.serve = func(method string, params json.RawMessage) (any, error) {
		if err := p.call(ctx, "test_mrtr_unrelated", map[string]any{}); err != nil {
			return nil, err
		}
		return answer(method, params)
	}
	for _, name := range []string{"test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_no_result_type"} {
		if err := p.call(ctx, name, map[string]any{}); err != nil {
			return err
		}
	}
	return nil
}

// useAll makes each kind of request that carries headers of its own.
func useAll(ctx context.Context, p *play) error {
	if err := callAll(ctx, p); err != nil {
		return err
	}
	raw, err := p.host.request(ctx, "resources/list", map[string]any{})
	if err != nil {
		return err
	}
	var r struct{ Resources []struct{ URI string } }
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	for _, resource := range r.Resources {
		if _, err := p.host.request(ctx, "resources/read", map[string]any{"uri": resource.URI}); err != nil {
			return err
		}
	}
	if raw, err = p.host.request(ctx, "prompts/list", map[string]any{}); err != nil {
		return err
	}
	var l struct{ Prompts []struct{ Name string } }
	if err := json.Unmarshal(raw, &l); err != nil {
		return err
	}
	for _, prompt := range l.Prompts {
		if _, err := p.host.request(ctx, "prompts/get", map[string]any{"name": prompt.Name}); err != nil {
			return err
		}
	}
	return nil
}

// serveServer answers what a server may ask of a host.
func serveServer(method string, params json.RawMessage) (any, error) {
	switch method {
	case "elicitation/create":
		var p struct{ RequestedSchema schema }
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, err
		}
		return map[string]any{"action": "accept", "content": p.RequestedSchema.filled()}, nil
	case "sampling/createMessage":
		text := map[string]any{"type": "text", "text": "yes"}
		return map[string]any{"role": "assistant", "model": "none", "content": text}, nil
	case "roots/list":
		return map[string]any{"roots": []any{}}, nil
	case "ping":
		return map[string]any{}, nil
	default:
		return nil, fmt.Errorf("this host knows no %s", method)
	}
}

// schema is as much of a JSON schema as is needed to fill a form.
type schema struct {
	Properties map[string]struct {
		Type    string
		Default any
	}
}

// filled is a form with the defaults, else with a value of the right type.
func (s schema) filled() map[string]any {
	form := map[string]any{}
	for name, p := range s.Properties {
		form[name] = p.Default
		if p.Default == nil {
			form[name] = exampleOf(p.Type)
		}
	}
	return form
}

func exampleOf(kind string) any {
	switch kind {
	case "number", "integer":
		return 7
	case "boolean":
		return true
	case "array":
		return []any{}
	case "object":
		return map[string]any{}
	case "null":
		return nil
	default:
		return "text"
	}
}
