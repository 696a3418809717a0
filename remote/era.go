package remote

// Era is which half of the protocol a server speaks (MCP 2026-07-28,
// versioning).
type Era int

// The eras. A server that speaks both counts as modern.
const (
	EraUnknown Era = iota
	EraLegacy      // initialize and a session: revisions up to 2025-11-25
	EraModern      // stateless, with _meta on every request: from 2026-07-28
)

// String is the era's name in logs and files.
func (e Era) String() string {
	switch e {
	case EraLegacy:
		return "legacy"
	case EraModern:
		return "modern"
	case EraUnknown:
	}
	return "unknown"
}
