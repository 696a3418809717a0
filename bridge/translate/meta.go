package translate

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// The members of _meta (MCP 2026-07-28, basic, _meta).
const (
	metaVersion      = "io.modelcontextprotocol/protocolVersion"
	metaClientInfo   = "io.modelcontextprotocol/clientInfo"
	metaCapabilities = "io.modelcontextprotocol/clientCapabilities"
	metaLogLevel     = "io.modelcontextprotocol/logLevel"
	metaServerInfo   = "io.modelcontextprotocol/serverInfo"
)

// pair is what is settled between one host and one modern server. Nobody
// changes it.
type pair struct {
	meta   []jsonmsg.Member // the members of _meta on each request
	host   json.RawMessage  // the host's capabilities, as far as the modern era has them
	server json.RawMessage  // the server's capabilities
}

// newPair takes from the host's initialize what each request will carry.
func newPair(initialize jsonmsg.Message) *pair {
	p := &pair{host: hostCapabilities(jsonmsg.Lookup(initialize.Raw, "params", "capabilities"))}
	p.meta = []jsonmsg.Member{{Key: metaVersion, Value: jsonmsg.Quote(remote.ModernVersion)}}
	if info := jsonmsg.Lookup(initialize.Raw, "params", "clientInfo"); isObject(info) {
		p.meta = append(p.meta, jsonmsg.Member{Key: metaClientInfo, Value: info})
	}
	p.meta = append(p.meta, jsonmsg.Member{Key: metaCapabilities, Value: p.host})
	return p
}

// hostCapabilities keeps what exists in the modern era, as written (RELAY L8).
// Roots have lost their listChanged there, tasks are gone.
func hostCapabilities(legacy json.RawMessage) json.RawMessage {
	var kept []jsonmsg.Member
	for _, c := range jsonmsg.Members(legacy) {
		switch c.Key {
		case "roots":
			kept = append(kept, jsonmsg.Member{Key: c.Key, Value: jsonmsg.Object()})
		case "experimental", "sampling", "elicitation", "extensions":
			if isObject(c.Value) {
				kept = append(kept, c)
			}
		}
	}
	return jsonmsg.Object(kept...)
}

// stamp makes a request of the host one of the modern era: _meta, and no other
// byte (RELAY L3).
func (t *Translator) stamp(p *pair, m jsonmsg.Message) (jsonmsg.Message, error) {
	meta := p.meta
	if level := t.level.Load(); level != nil {
		meta = append(slices.Clip(meta), jsonmsg.Member{Key: metaLogLevel, Value: jsonmsg.Quote(*level)})
	}
	raw, err := jsonmsg.Set(m.Raw, []string{"params", "_meta"}, meta...)
	if err != nil {
		return m, fmt.Errorf("adding _meta to the request: %w", err)
	}
	return scan(raw)
}

// own makes a request of ours to the server. The members are those of params
// besides _meta.
func (t *Translator) own(p *pair, method string, params ...jsonmsg.Member) (jsonmsg.Message, error) {
	params = append([]jsonmsg.Member{{Key: "_meta", Value: jsonmsg.Object(p.meta...)}}, params...)
	return scan(envelope(t.numbers.next(),
		jsonmsg.Member{Key: "method", Value: jsonmsg.Quote(method)},
		jsonmsg.Member{Key: "params", Value: jsonmsg.Object(params...)}))
}

// envelope makes a message.
func envelope(id json.RawMessage, rest ...jsonmsg.Member) []byte {
	return jsonmsg.Object(append([]jsonmsg.Member{
		{Key: "jsonrpc", Value: json.RawMessage(`"2.0"`)}, {Key: "id", Value: id},
	}, rest...)...)
}

func scan(raw []byte) (jsonmsg.Message, error) {
	m, err := jsonmsg.Scan(raw)
	if err != nil {
		return m, fmt.Errorf("putting a message together: %w", err)
	}
	return m, nil
}

func isObject(value json.RawMessage) bool { return len(value) > 0 && value[0] == '{' }
