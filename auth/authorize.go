package auth

// RFC 6749 section 4.1 (authorization code), RFC 7636 (PKCE), RFC 8707
// (resource), RFC 9207 (iss): the authorization request and its response.

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// attempt is one authorization request: everything that the answer is compared
// with, fixed before the browser opens (OAUTH A26).
type attempt struct {
	server       Server
	registration Registration
	resource     string
	scopes       []string
	redirectURI  string
	state        redact.Secret
	verifier     redact.Secret
}

func newAttempt(d *discovery, r Registration, redirectURI string) *attempt {
	return &attempt{
		server: d.server, registration: r, resource: d.resource, scopes: d.scopes, redirectURI: redirectURI,
		state:    redact.Secret(rand.Text() + rand.Text()), // 260 bits (OAUTH A25)
		verifier: redact.Secret(oauth2.GenerateVerifier()),
	}
}

// url returns the address of the authorization request. It passed checkURL when
// the metadata was read and is checked once more here, right before it goes to
// a browser (OAUTH X1).
func (a *attempt) url(loopbackHTTP bool) (string, error) {
	cfg := oauth2.Config{
		ClientID: a.registration.ClientID, RedirectURL: a.redirectURI, Scopes: a.scopes,
		Endpoint: oauth2.Endpoint{AuthURL: a.server.AuthorizationEndpoint},
	}
	raw := cfg.AuthCodeURL(a.state.Reveal(), oauth2.S256ChallengeOption(a.verifier.Reveal()), oauth2.SetAuthURLParam("resource", a.resource))
	u, err := checkURL(raw, loopbackHTTP)
	if err != nil {
		return "", serverFault("the authorization endpoint: %w", err)
	}
	return u.String(), nil
}

// accepts tells whether a callback belongs to this attempt, in constant time.
func (a *attempt) accepts(q url.Values) bool {
	return len(q["state"]) == 1 && subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.state.Reveal())) == 1
}

// code checks the authorization response in the order that RFC 9207 section 2.4
// wants: state (done by accepts), iss, then error or code (OAUTH A27 to A29).
func (a *attempt) code(q url.Values) (redact.Secret, error) {
	iss, told := q["iss"]
	switch {
	case told && (len(iss) != 1 || iss[0] != a.server.Issuer):
		return "", hint.With(serverFault("the answer came from another authorization server than the one asked"), "start again with payu-mcp login; if it happens again, do not sign in")
	case !told && a.server.IssRequired:
		return "", hint.With(serverFault("the answer does not say which authorization server it is from"), "start again with payu-mcp login; if it happens again, it is on the server's side")
	case q.Has("error"):
		return "", authorizationError(q, a.redirectURI)
	case len(q["code"]) != 1 || q.Get("code") == "":
		return "", serverFault("the answer of the authorization server holds no code")
	}
	return redact.Secret(q.Get("code")), nil
}

func authorizationError(q url.Values, redirectURI string) error {
	code, text := clean(q.Get("error")), clean(q.Get("error_description"))
	said := strings.TrimSuffix(code+", "+text, ", ")
	switch code {
	case "access_denied":
		return hint.With(fmt.Errorf("%w (%s)", ErrDenied, said), "try again with payu-mcp login; if your PayU account is not enabled for MCP, ask your key account manager or ai-solutions@payu.in")
	case "invalid_scope":
		return hint.With(serverFault("the authorization server answered %s", said), "choose the scopes with --scope")
	case "invalid_client", "unauthorized_client":
		return hint.With(serverFault("the authorization server answered %s", said), "run payu-mcp logout, then payu-mcp login; with a client id of your own check --client-id")
	default:
		return hint.With(serverFault("the authorization server answered %s to the redirect URI %s", said, redirectURI), "try again: payu-mcp login")
	}
}

// exchange spends the code (RFC 6749 section 4.1.3), once.
func (c *Client) exchange(ctx context.Context, a *attempt, code redact.Secret) (*tokenAnswer, error) {
	res, err := c.tokenRequest(ctx, a.server, a.registration, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code.Reveal()},
		"redirect_uri":  {a.redirectURI},
		"code_verifier": {a.verifier.Reveal()},
		"resource":      {a.resource},
	})
	if err != nil {
		return nil, exchangeError(err)
	}
	return res, nil
}

func exchangeError(err error) error {
	err = fmt.Errorf("exchanging the code: %w", err)
	te, ok := errors.AsType[*tokenError](err)
	switch {
	case !ok:
		return err
	case te.code == "invalid_client":
		return hint.With(err, "the server does not know this client: run payu-mcp logout, then payu-mcp login; with an id of your own check --client-id and --client-secret-file")
	default:
		return hint.With(err, "try again: payu-mcp login")
	}
}
