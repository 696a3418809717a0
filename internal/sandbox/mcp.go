package sandbox

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
)

// Challenge is the WWW-Authenticate of a 401 (PAYU S17, U7).
type Challenge int

// The challenges.
const (
	ChallengeBare             Challenge = iota // Bearer
	ChallengeResourceMetadata                  // + resource_metadata (RFC 9728)
	ChallengeInvalidToken                      // + error="invalid_token" (RFC 6750)
	ChallengeEmptyRealm                        // Bearer realm=""
	ChallengeSeveral                           // Basic and Bearer, over two lines
	ChallengeNone                              // no header
)

// UnauthorizedBody is the body of a 401.
type UnauthorizedBody int

// The bodies.
const (
	UnauthorizedJSON UnauthorizedBody = iota
	UnauthorizedEmpty
	UnauthorizedHTML
)

// GetAnswer is how GET on the endpoint is answered (PAYU S20).
type GetAnswer int

// The answers.
const (
	GetRefused GetAnswer = iota // 405
	GetMissing                  // 404
	GetStream                   // a stream for Push, idle until then
)

// PostAnswer is the form of answers to requests (PAYU S21).
type PostAnswer int

// The forms.
const (
	AnswerJSON    PostAnswer = iota // application/json
	AnswerSSE                       // text/event-stream, one plain event per message
	AnswerRichSSE                   // with a priming event, ids, retry, comments, a field without colon, several data lines
)

// MCPKnobs shape the MCP endpoint (PAYU S17 to S31).
type MCPKnobs struct {
	Challenge    Challenge
	Unauthorized UnauthorizedBody
	// Scope is what a token has to hold, separated by blanks: challenges name it, and
	// a token without it is answered 403 (RFC 6750 section 3.1).
	Scope string
	// Sessions issues Mcp-Session-Id and demands it.
	Sessions bool
	// DroppedIs400 answers a dropped session with 400 "No valid session ID" instead
	// of 404.
	DroppedIs400 bool
	Get          GetAnswer
	// DeleteAllowed answers DELETE with 200 instead of 405.
	DeleteAllowed bool
	Answer        PostAnswer
	// StrictAccept demands both types in Accept: 406.
	StrictAccept bool
	// Versions are the protocol versions spoken, oldest first; nil is 2025-03-26,
	// 2025-06-18 and 2025-11-25.
	Versions []string
	// Era is which half of the protocol is spoken; ModernVersions are those of the
	// modern half, nil is 2026-07-28.
	Era            Era
	ModernVersions []string
	// Resumable, with AnswerRichSSE in the legacy era, keeps the stream of each
	// request until a GET with Last-Event-ID has fetched its end.
	Resumable bool
	// UnknownTool404 puts the error of an unknown tool into a 404 (PAYU C4).
	UnknownTool404 bool

	Tools    ToolKnobs
	Merchant MerchantKnobs
	Report   ReportKnobs
}

func (k *MCPKnobs) versions() []string {
	if k.Versions != nil {
		return k.Versions
	}
	return []string{"2025-03-26", "2025-06-18", "2025-11-25"}
}

// caller is who a request comes from.
type caller struct {
	user  user
	grant int    // its number
	scope string // of the token
}

// serveMCP is RS /mcp, MCP's Streamable HTTP transport. The token is introspected
// on every request (PAYU P5).
func (s *Sandbox) serveMCP(w http.ResponseWriter, r *http.Request) {
	k := s.Knobs().MCP
	if id := r.Header.Get("X-Request-ID"); id != "" {
		w.Header().Set("X-Request-ID", id)
	}
	who, reason := s.callerOf(r)
	if reason != "" {
		s.unauthorized(w, k, reason)
		return
	}
	switch {
	case !who.user.enabled && s.Knobs().Login.NotEnabledAtMCP:
		http.Error(w, "MCP is not enabled for this account", http.StatusForbidden)
	case !who.holds(k.Scope):
		s.forbidden(w, k)
	case r.Method == http.MethodPost:
		s.post(w, r, k, who)
	case k.Era == EraModern:
		notAllowed(w)
	case !s.versionFits(w, r, k):
	case r.Method == http.MethodGet:
		s.get(w, r, k)
	case r.Method == http.MethodDelete:
		s.endSession(w, r, k)
	default:
		notAllowed(w)
	}
}

func notAllowed(w http.ResponseWriter) {
	w.Header().Set("Allow", "POST")
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
}

func (s *Sandbox) callerOf(r *http.Request) (caller, string) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return caller{}, "Token missing"
	}
	g, reason := s.grants.introspect(token, s.now())
	if g == nil {
		return caller{}, reason
	}
	u, known := findUser(g.user)
	if !known {
		return caller{}, "Token invalid"
	}
	return caller{user: u, grant: g.number, scope: g.scope}, ""
}

func (s *Sandbox) unauthorized(w http.ResponseWriter, k MCPKnobs, reason string) {
	metadata := s.resourceName() + resourceMetadataPath + endpointPath
	h := w.Header()
	switch k.Challenge {
	case ChallengeBare:
		h.Set("WWW-Authenticate", k.bearer())
	case ChallengeResourceMetadata:
		h.Set("WWW-Authenticate", k.bearer("resource_metadata", metadata))
	case ChallengeInvalidToken:
		h.Set("WWW-Authenticate", k.bearer("error", "invalid_token", "error_description", reason, "resource_metadata", metadata))
	case ChallengeEmptyRealm:
		h.Set("WWW-Authenticate", `Bearer realm=""`)
	case ChallengeSeveral:
		h.Add("WWW-Authenticate", `Basic realm="PayU, internal", charset="UTF-8"`)
		h.Add("WWW-Authenticate", fmt.Sprintf(`Negotiate, Bearer realm="mcp", resource_metadata=%q`, metadata))
	case ChallengeNone:
	}
	switch k.Unauthorized {
	case UnauthorizedJSON:
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token", "error_description": reason})
	case UnauthorizedHTML:
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, "<!DOCTYPE html><title>401</title><h1>%s</h1>", html.EscapeString(reason))
	case UnauthorizedEmpty:
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// versionFits refuses a MCP-Protocol-Version that is not spoken.
func (s *Sandbox) versionFits(w http.ResponseWriter, r *http.Request, k MCPKnobs) bool {
	v := r.Header.Get("Mcp-Protocol-Version")
	if v == "" || slices.Contains(k.versions(), v) {
		return true
	}
	writeError(w, http.StatusBadRequest, codeServer, "Bad Request: Unsupported protocol version")
	return false
}

func (s *Sandbox) post(w http.ResponseWriter, r *http.Request, k MCPKnobs, who caller) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if k.StrictAccept && (!mayStream(r) || !strings.Contains(accept, "application/json")) {
		writeError(w, http.StatusNotAcceptable, codeServer, "Not Acceptable: Client must accept both application/json and text/event-stream")
		return
	}
	m, flaw := readMessage(r)
	if flaw != nil {
		writeError(w, http.StatusBadRequest, flaw.code, flaw.message)
		return
	}
	if k.modern(r, m) {
		s.postModern(w, r, k, who, m)
		return
	}
	if !s.versionFits(w, r, k) || !s.gateway.sessionFits(w, r, k, m) {
		return
	}
	switch {
	case m.Method == "":
		s.gateway.answered(m)
		w.WriteHeader(http.StatusAccepted)
	case m.ID == nil:
		s.gateway.notified(m, who)
		w.WriteHeader(http.StatusAccepted)
	default:
		out := &responder{w: w, form: k.Answer, mayStream: mayStream(r)}
		if k.Resumable && k.Answer == AnswerRichSSE && out.mayStream {
			out.gateway, out.replay = &s.gateway, s.newReplay()
			defer s.gateway.finish(out.replay)
		}
		s.request(r.Context(), out, k, who, m)
	}
}
