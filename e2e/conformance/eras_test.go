package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

const (
	legacyVersion = "2025-11-25"
	modernVersion = "2026-07-28"

	codeUnsupportedVersion = -32022
	maxRounds              = 10 // of one multi-round-trip request
)

// host is a program that uses the bridge, of either era.
type host interface {
	// open does what comes before the first use.
	open(ctx context.Context) error
	// request returns the final result of one request.
	request(ctx context.Context, method string, params map[string]any) (json.RawMessage, error)
}

// A host of either era can do what servers may ask for.
func capabilities() map[string]any {
	return map[string]any{"roots": map[string]any{}, "sampling": map[string]any{}, "elicitation": map[string]any{}}
}

func clientInfo() map[string]any {
	return map[string]any{"name": "payu-mcp-conformance-host", "version": "1"}
}

// legacyHost speaks the revisions with initialize.
type legacyHost struct{ *stdio }

func (h legacyHost) open(ctx context.Context) error {
	raw, err := h.ask(ctx, "initialize", map[string]any{
		"protocolVersion": legacyVersion, "capabilities": capabilities(), "clientInfo": clientInfo(),
	})
	if err != nil {
		return err
	}
	var r struct{ ProtocolVersion string }
	if err := json.Unmarshal(raw, &r); err != nil || r.ProtocolVersion == "" {
		return fmt.Errorf("the answer to initialize has no protocolVersion: %s", raw)
	}
	return h.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
}

func (h legacyHost) request(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	return h.ask(ctx, method, params)
}

// modernHost speaks 2026-07-28: no handshake, _meta on each request, and answers
// to the server's questions in a new request.
type modernHost struct {
	*stdio

	version string
}

// open must find a modern server: a host of both eras would fall back to
// initialize here, and the scenario would say nothing about the modern way.
func (h *modernHost) open(ctx context.Context) error {
	raw, err := h.request(ctx, "server/discover", map[string]any{})
	if err != nil {
		return err
	}
	var r struct{ SupportedVersions []string }
	if err := json.Unmarshal(raw, &r); err != nil || !slices.Contains(r.SupportedVersions, modernVersion) {
		return fmt.Errorf("server/discover does not name %s: %s", modernVersion, raw)
	}
	return nil
}

func (h *modernHost) request(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	params = maps.Clone(params)
	for range maxRounds {
		raw, err := h.negotiated(ctx, method, params)
		if err != nil {
			return nil, err
		}
		var r inputRequired
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("reading the result of %s: %w", method, err)
		}
		switch r.ResultType {
		case "", "complete":
			return raw, nil
		case "input_required":
			if err := h.fulfil(r, params); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("%s has a result of unknown type %q", method, r.ResultType)
		}
	}
	return nil, fmt.Errorf("%s asks for input without end", method)
}

// inputRequired is a result that asks the host something first.
type inputRequired struct {
	ResultType    string
	InputRequests map[string]struct {
		Method string
		Params json.RawMessage
	}
	RequestState *string
}

// fulfil puts the answers, and the state as it came, into the next request.
func (h *modernHost) fulfil(r inputRequired, params map[string]any) error {
	answers := map[string]any{}
	for name, q := range r.InputRequests {
		answer, err := h.serve(q.Method, q.Params)
		if err != nil {
			return err
		}
		answers[name] = answer
	}
	params["inputResponses"] = answers
	delete(params, "requestState")
	if r.RequestState != nil {
		params["requestState"] = *r.RequestState
	}
	return nil
}

// negotiated sends one request, again with a version that the server has where
// it refuses the first (RELAY L4).
func (h *modernHost) negotiated(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	raw, err := h.ask(ctx, method, h.withMeta(params))
	refused, ok := errors.AsType[*refusedError](err)
	if !ok || refused.Code != codeUnsupportedVersion {
		return raw, err
	}
	var d struct{ Supported []string }
	if json.Unmarshal(refused.Data, &d) != nil || !slices.Contains(d.Supported, modernVersion) {
		return nil, err
	}
	h.version = modernVersion
	return h.ask(ctx, method, h.withMeta(params))
}

func (h *modernHost) withMeta(params map[string]any) map[string]any {
	params = maps.Clone(params)
	params["_meta"] = map[string]any{
		"io.modelcontextprotocol/protocolVersion":    h.version,
		"io.modelcontextprotocol/clientInfo":         clientInfo(),
		"io.modelcontextprotocol/clientCapabilities": capabilities(),
	}
	return params
}
