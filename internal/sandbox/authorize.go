package sandbox

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
)

// Outcome is how a sign-in ends (PAYU S11).
type Outcome int

// The outcomes. All but the first hold whatever the person chooses.
const (
	OutcomeAsChosen     Outcome = iota // by the person: code or access_denied
	OutcomeDeny                        // access_denied
	OutcomeWrongState                  // state is another value
	OutcomeMissingState                // no state
	OutcomeInvalidScope                // error=invalid_scope
)

// Iss is the iss parameter of the authorization response (RFC 9207).
type Iss int

// The forms of iss.
const (
	IssAsAdvertised Iss = iota // right if the metadata promises it, else none
	IssRight                   // right, promised or not
	IssMissing                 // none, promised or not
	IssWrong                   // the foreign listener
	IssSlash                   // right, with a slash appended
)

// LoginKnobs shape the authorization endpoint (PAYU S10, S11).
type LoginKnobs struct {
	Outcome Outcome
	Iss     Iss
	// Headless, when set, is the user whom the endpoint signs in with a 302 at
	// once, without pages.
	Headless string
	// Error, when set, is the error code that every authorization request is
	// redirected back with (RFC 6749 section 4.1.2.1).
	Error string
	// SignInFirst asks for the sign-in before it looks at client and redirect URI,
	// as Doorkeeper does.
	SignInFirst bool
	// NotEnabledPage shows user C a page instead of redirecting with access_denied.
	NotEnabledPage bool
	// NotEnabledAtMCP lets user C in, and answers 403 at the endpoint instead.
	NotEnabledAtMCP bool
}

// authorization is one request at the authorization endpoint on its way through
// the pages.
type authorization struct {
	client                                      Client
	redirect, state, challenge, resource, scope string
	user                                        string // set by the sign-in
	device                                      string // the user code of a sign-in by code (RFC 8628)
	turnedAway                                  turnedAway
}

// logins holds the open authorizations by an id that the forms carry. Its zero
// value is ready.
type logins struct {
	mu   sync.Mutex
	open map[string]authorization
}

func (l *logins) put(id string, a authorization) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[string]authorization{}
	}
	l.open[id] = a
}

func (l *logins) get(id string) (authorization, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.open[id]
	return a, ok
}

func (l *logins) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, id)
}

func (s *Sandbox) newAuthorization(q url.Values, k Knobs) authorization {
	c, known := s.client(q.Get("client_id"))
	a := authorization{
		client: c, redirect: q.Get("redirect_uri"), state: q.Get("state"), challenge: q.Get("code_challenge"),
		resource: q.Get("resource"), scope: cmp.Or(q.Get("scope"), defaultScope),
	}
	switch {
	case !known:
		a.turnedAway = turnedAway{"Unknown application", "The application that sent you here is not registered.", true}
	case !k.Client.Redirect.accepts(c.RedirectURIs, a.redirect):
		a.turnedAway = turnedAway{"Redirect address refused", "The application asked to be answered at an address that it did not register.", false}
	}
	return a
}

// authorize is AS GET /oauth/authorize (RFC 6749 section 4.1.1).
func (s *Sandbox) authorize(w http.ResponseWriter, r *http.Request) {
	q, k := r.URL.Query(), s.Knobs()
	a := s.newAuthorization(q, k)
	stray := a.turnedAway.title != ""
	if stray && (!k.Login.SignInFirst || k.Login.Headless != "") {
		s.turnAway(w, &a)
		return
	}
	if code, description := s.flaw(q); code != "" && !stray {
		s.answer(w, &a, url.Values{"error": {code}, "error_description": {description}})
		return
	}
	if u, ok := findUser(k.Login.Headless); ok {
		a.user = u.id
		s.conclude(w, &a, true)
		return
	}
	id := rand.Text()
	s.logins.put(id, a)
	s.showSignIn(w, http.StatusOK, id, "")
}

// flaw returns the error that an authorization request deserves, or "".
func (s *Sandbox) flaw(q url.Values) (code, description string) {
	switch demanded := s.Knobs().Login.Error; {
	case demanded != "":
		return demanded, textInvalidRequest
	case q.Get("response_type") != "code":
		return "unsupported_response_type", "The authorization server does not support this response type."
	case q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256":
		return "invalid_request", "A code_challenge with the method S256 is required."
	case !s.ownResource(q.Get("resource")):
		return "invalid_target", "The requested resource is invalid, missing, unknown, or malformed."
	}
	return "", ""
}

// conclude ends an authorization as the person and the knobs say.
func (s *Sandbox) conclude(w http.ResponseWriter, a *authorization, allowed bool) {
	k := s.Knobs().Login
	u, _ := findUser(a.user)
	welcome := u.enabled || k.NotEnabledAtMCP
	switch {
	case a.device != "":
		s.concludeDevice(w, a, allowed)
	case !welcome && k.NotEnabledPage:
		s.refuse(w, "MCP is not enabled for this account", textNotEnabled)
	case !welcome:
		s.answer(w, a, url.Values{"error": {"access_denied"}, "error_description": {"MCP is not enabled for this account"}})
	case k.Outcome == OutcomeInvalidScope:
		s.answer(w, a, url.Values{"error": {"invalid_scope"}, "error_description": {"The requested scope is invalid, unknown, or malformed."}})
	case !allowed || k.Outcome == OutcomeDeny:
		s.answer(w, a, url.Values{"error": {"access_denied"}, "error_description": {"The resource owner or authorization server denied the request."}})
	default:
		value := s.newSecret(tokenDigits)
		s.grants.addCode(value, &code{authorization: *a, expires: s.now().Add(codeLife)})
		s.answer(w, a, url.Values{"code": {value}})
	}
}

// answer redirects to the client (RFC 6749 section 4.1.2).
func (s *Sandbox) answer(w http.ResponseWriter, a *authorization, v url.Values) {
	all := s.Knobs()
	switch {
	case a.state == "" || all.Login.Outcome == OutcomeMissingState:
	case all.Login.Outcome == OutcomeWrongState:
		v.Set("state", "not-"+a.state)
	default:
		v.Set("state", a.state)
	}
	if iss := s.issParameter(all); iss != "" {
		v.Set("iss", iss)
	}
	u, err := url.Parse(a.redirect)
	if err != nil {
		s.refuse(w, "Redirect address refused", "The application asked to be answered at something that is no address.")
		return
	}
	q := u.Query()
	maps.Copy(q, v)
	u.RawQuery = q.Encode()
	w.Header().Set("Location", u.String())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

func (s *Sandbox) issParameter(k Knobs) string {
	right := s.issuer(k.Metadata)
	switch k.Login.Iss {
	case IssAsAdvertised:
		if k.Metadata.IssParameter {
			return right
		}
	case IssRight:
		return right
	case IssWrong:
		return s.abroad
	case IssSlash:
		return right + "/"
	case IssMissing:
	}
	return ""
}

const textNotEnabled = "Your sign-in worked, but this account may not use MCP yet. Ask your key account manager or ai-solutions@payu.in."

// consentWords are the permissions that PayU describes (PAYU P10).
func consentWords() []permission {
	return []permission{
		{"Transaction Access", "See transactions and their details"},
		{"Refund Operations", "See refunds and ask for them"},
		{"Settlement Information", "See settlements and payouts"},
		{"Report Generation", "Create reports and download them"},
	}
}

type permission struct{ Name, Text string }

// label is how the pages name a user.
func (u user) label() string { return fmt.Sprintf("User %s: %s", u.id, u.about) }
