package catalogue

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// Upstream is the way to the server: a remote.Client, or what wraps one.
type Upstream interface {
	Do(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error
}

// Modern is the protocol version of the modern era: server/discover instead of
// initialize, and _meta on every request. All others are of the legacy era.
const Modern = remote.ModernVersion

// The members of _meta (MCP 2026-07-28, basic, _meta).
const (
	metaVersion      = "io.modelcontextprotocol/protocolVersion"
	metaClientInfo   = "io.modelcontextprotocol/clientInfo"
	metaCapabilities = "io.modelcontextprotocol/clientCapabilities"
)

// RefusedError says that the server answered a request with a JSON-RPC error.
type RefusedError struct {
	Method string
	Code   int
}

// Error names the method and the code; the server's own text is left out.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server refuses %s (code %d)", e.Method, e.Code)
}

// Collect greets the server in a protocol version, and asks for all lists that
// it declares. up is a new client, so that the session is of that version; the
// caller ends it. client is the clientInfo to give.
func Collect(ctx context.Context, up Upstream, version string, client json.RawMessage) (*Saved, error) {
	opening, err := Greet(ctx, up, version, client)
	if err != nil {
		return nil, err
	}
	return Complete(ctx, up, version, client, opening)
}

// Greet sends server/discover or initialize, and returns the result.
func Greet(ctx context.Context, up Upstream, version string, client json.RawMessage) (opening json.RawMessage, err error) {
	if version == Modern {
		return ask(ctx, up, "server/discover", jsonmsg.Member{Key: "_meta", Value: Meta(client)})
	}
	return ask(ctx, up, "initialize",
		jsonmsg.Member{Key: "protocolVersion", Value: jsonmsg.Quote(version)},
		jsonmsg.Member{Key: "capabilities", Value: jsonmsg.Object()},
		jsonmsg.Member{Key: "clientInfo", Value: client})
}

// Complete asks for the lists after Greet. A list that the server refuses is
// left out; what else goes wrong is an error, and then there is no catalogue. A
// server that has answered in another version has none for this one.
func Complete(ctx context.Context, up Upstream, version string, client, opening json.RawMessage) (*Saved, error) {
	v := &Saved{Opening: opening, Lists: map[string]json.RawMessage{}}
	if !v.speaks(version) {
		return nil, fmt.Errorf("the server does not answer in %s", version)
	}
	var meta json.RawMessage
	if version == Modern {
		meta = Meta(client)
	} else if err := initialized(ctx, up); err != nil {
		return nil, err
	}
	for _, method := range Declared(opening) {
		result, err := CollectList(ctx, up, method, meta)
		if _, refused := errors.AsType[*RefusedError](err); refused {
			continue
		}
		if err != nil {
			return nil, err
		}
		v.Lists[method] = result
	}
	return v, nil
}

// Meta is the _meta of a request of the modern era from a client without
// capabilities.
func Meta(client json.RawMessage) json.RawMessage {
	return jsonmsg.Object(
		jsonmsg.Member{Key: metaVersion, Value: jsonmsg.Quote(Modern)},
		jsonmsg.Member{Key: metaClientInfo, Value: client},
		jsonmsg.Member{Key: metaCapabilities, Value: jsonmsg.Object()},
	)
}

// Declared returns the list methods that a server with this opening has.
func Declared(opening json.RawMessage) []string {
	var methods []string
	for _, m := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"} {
		capability, _, _ := strings.Cut(m, "/")
		if begins(jsonmsg.Lookup(opening, "capabilities", capability), '{') {
			methods = append(methods, m)
		}
	}
	return methods
}

func (v Saved) speaks(version string) bool {
	if version != Modern {
		return jsonmsg.Text(jsonmsg.Lookup(v.Opening, "protocolVersion")) == version
	}
	var versions []string
	err := json.Unmarshal(jsonmsg.Lookup(v.Opening, "supportedVersions"), &versions)
	return err == nil && slices.Contains(versions, version)
}

// ask sends a request with these params, and returns its result.
func ask(ctx context.Context, up Upstream, method string, params ...jsonmsg.Member) (json.RawMessage, error) {
	var answer jsonmsg.Message
	err := send(ctx, up, method, remote.Hooks{Deliver: func(m jsonmsg.Message) {
		if m.Kind == jsonmsg.Response { // what else comes on the way was not asked for
			answer = m
		}
	}},
		// No host may have an id like it, and none of ours may come twice in a session.
		jsonmsg.Member{Key: "id", Value: jsonmsg.Quote("payu-mcp/catalogue-" + rand.Text())},
		jsonmsg.Member{Key: "params", Value: jsonmsg.Object(params...)})
	switch result := jsonmsg.Lookup(answer.Raw, "result"); {
	case err != nil:
		return nil, err
	case answer.IsError:
		return nil, &RefusedError{Method: method, Code: answer.ErrorCode()}
	case !begins(result, '{'), answer.ResultType != "" && answer.ResultType != "complete":
		return nil, fmt.Errorf("the server answered %s with no complete result", method)
	default:
		return result, nil
	}
}

func initialized(ctx context.Context, up Upstream) error {
	return send(ctx, up, "notifications/initialized", remote.Hooks{})
}

func send(ctx context.Context, up Upstream, method string, h remote.Hooks, members ...jsonmsg.Member) error {
	m, err := jsonmsg.Scan(jsonmsg.Object(append([]jsonmsg.Member{
		{Key: "jsonrpc", Value: jsonmsg.Quote("2.0")},
		{Key: "method", Value: jsonmsg.Quote(method)},
	}, members...)...))
	if err != nil {
		return fmt.Errorf("asking the server with %s: %w", method, err)
	}
	return up.Do(ctx, m, h) // its errors say enough
}
