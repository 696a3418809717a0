package sandbox

import (
	"encoding/json"
	"net/http"
)

// Era is which half of the protocol the endpoint speaks (PAYU S23).
type Era int

// The eras.
const (
	EraLegacy Era = iota // initialize: revisions up to 2025-11-25
	EraModern            // stateless, _meta on every request: 2026-07-28
	EraDual              // modern for requests that name a modern version, legacy for the others
)

const (
	modernVersion = "2026-07-28"
	versionHeader = "Mcp-Protocol-Version"

	metaVersion      = "io.modelcontextprotocol/protocolVersion"
	metaCapabilities = "io.modelcontextprotocol/clientCapabilities"
	metaServer       = "io.modelcontextprotocol/serverInfo"
	metaSubscription = "io.modelcontextprotocol/subscriptionId"
)

// The error codes of 2026-07-28.
const (
	codeHeader     = -32020 // HeaderMismatch
	codeCapability = -32021 // MissingRequiredClientCapability
	codeVersion    = -32022 // UnsupportedProtocolVersion
)

func (k *MCPKnobs) modernVersions() []string {
	if k.ModernVersions != nil {
		return k.ModernVersions
	}
	return []string{modernVersion}
}

// modern tells whether a POST is served in the modern way.
func (k *MCPKnobs) modern(r *http.Request, m *message) bool {
	switch k.Era {
	case EraModern:
		return true
	case EraDual:
		return m.meta().version != nil || r.Header.Get(versionHeader) == modernVersion
	case EraLegacy:
	}
	return false
}

// meta is what a request of the modern era says of its client.
type meta struct {
	version      *string
	capabilities map[string]json.RawMessage // nil if absent or no object
}

func (m *message) meta() meta {
	var p struct {
		Meta map[string]json.RawMessage `json:"_meta"`
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return meta{}
	}
	var got meta
	if raw, ok := p.Meta[metaVersion]; ok && json.Unmarshal(raw, &got.version) != nil {
		got.version = nil
	}
	if raw, ok := p.Meta[metaCapabilities]; ok && json.Unmarshal(raw, &got.capabilities) != nil {
		got.capabilities = nil
	}
	return got
}
