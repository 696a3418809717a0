package remote

import (
	"net/http"
	"slices"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// Era is which half of the protocol a server speaks (MCP 2026-07-28,
// versioning).
type Era int

// The eras.
const (
	EraUnknown Era = iota
	EraLegacy      // initialize and a session: revisions up to 2025-11-25
	EraModern      // stateless, with _meta on every request: from 2026-07-28; initialize was refused
	EraDual        // takes modern requests, and may take initialize as well
)

// The newest revision of each era that payu-mcp knows.
const (
	NewestLegacy  = "2025-11-25"
	ModernVersion = "2026-07-28"
)

// LegacyVersions are the revisions with initialize over Streamable HTTP or
// before it, of which all hosts of today speak one.
func LegacyVersions() []string {
	return []string{"2024-11-05", "2025-03-26", "2025-06-18", NewestLegacy}
}

// LegacyAnswer is the revision to answer a host with that asks for one of the
// legacy era: the same if we know it.
func LegacyAnswer(asked string) string {
	if slices.Contains(LegacyVersions(), asked) {
		return asked
	}
	return NewestLegacy
}

// ParseEra reads what String wrote; anything else is EraUnknown.
func ParseEra(s string) Era {
	for _, e := range []Era{EraLegacy, EraModern, EraDual} {
		if e.String() == s {
			return e
		}
	}
	return EraUnknown
}

// TakesModern reports whether requests of the modern era are answered.
func (e Era) TakesModern() bool { return e == EraModern || e == EraDual }

// String is the era's name in logs and files.
func (e Era) String() string {
	switch e {
	case EraLegacy:
		return "legacy"
	case EraModern:
		return "modern"
	case EraDual:
		return "dual"
	case EraUnknown:
	}
	return "unknown"
}

// The errors that only a server of the modern era answers with (MCP 2026-07-28,
// basic, error codes).
const (
	codeMismatch    = -32020 // HeaderMismatch
	codeCapability  = -32021 // MissingRequiredClientCapability
	codeUnsupported = -32022 // UnsupportedProtocolVersion
)

// IsModernCode reports whether only a server of the modern era answers with this
// error code.
func IsModernCode(code int) bool {
	return code == codeMismatch || code == codeCapability || code == codeUnsupported
}

// eras is what is known of the server's era.
type eras struct {
	mu     sync.Mutex
	known  Era
	learnt func(Era) // told of each change; may be nil
}

func (e *eras) get() Era {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.known
}

// set notes what an answer has shown. A server that takes initialize and modern
// requests too is a dual one, whichever was seen first.
func (e *eras) set(shown Era) {
	e.mu.Lock()
	both := shown == EraLegacy && e.known == EraDual
	changed := !both && shown != e.known
	if changed {
		e.known = shown
	}
	learnt := e.learnt
	e.mu.Unlock()
	if changed && learnt != nil {
		learnt(shown)
	}
}

// Era returns what is known of the server's era so far.
func (c *Client) Era() Era { return c.era.get() }

// learnAnswer learns from a JSON-RPC answer (RELAY H17), and returns its error
// code, 0 if it is a result.
func (c *Client) learnAnswer(asked, answer jsonmsg.Message) (code int) {
	code = answer.ErrorCode()
	modern := IsModernCode(code)
	switch {
	case asked.Method == methodInitialize && modern:
		c.era.set(EraModern)
	case asked.Method == methodInitialize:
		c.era.set(EraLegacy)
	case !asked.Modern():
	case asked.Method == methodDiscover && !answer.IsError, modern:
		if c.era.get() != EraModern {
			c.era.set(EraDual)
		}
	case asked.Method == methodDiscover:
		c.era.set(EraLegacy)
	}
	return code
}

// learnFailure learns from an answer that is no JSON-RPC. 401, 403, 5xx and
// silence tell nothing: whoever answered so has not looked at the message.
func (c *Client) learnFailure(asked jsonmsg.Message, f *failure) {
	if f.event != eventRefused && f.event != eventSession {
		return
	}
	switch {
	case asked.Method == methodInitialize, asked.Method == methodDiscover && asked.Modern():
		c.era.set(EraLegacy)
	case asked.Modern() && f.status == http.StatusBadRequest:
		c.era.set(EraUnknown) // a modern server would have said why; ask again
	}
}
