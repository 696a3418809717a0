package auth

// RFC 6749 section 4.1 (authorization code), RFC 7636 (PKCE), RFC 8707
// (resource), RFC 9207 (iss): the authorization request and its response.

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// code checks the authorization response in the order that RFC 9207 section 2.4
// wants: state (done by accepts), iss, then error or code (OAUTH A27 to A29).
func (a *Attempt) code(q url.Values) (redact.Secret, error) {
	iss, told := q["iss"]
	switch {
	case told && (len(iss) != 1 || iss[0] != a.Server.Issuer):
		return "", hint.With(serverFault("the answer came from another authorization server than the one asked"), "start again with payu-mcp login; if it happens again, do not sign in")
	case !told && a.Server.IssRequired:
		return "", hint.With(serverFault("the answer does not say which authorization server it is from"), "start again with payu-mcp login; if it happens again, it is on the server's side")
	case q.Has("error"):
		return "", &answeredError{authorizationError(q, a.RedirectURI), clean(q.Get("error"))}
	case len(q["code"]) != 1 || q.Get("code") == "":
		return "", serverFault("the answer of the authorization server holds no code")
	}
	return redact.Secret(q.Get("code")), nil
}

func authorizationError(q url.Values, redirectURI string) error {
	code, text := clean(q.Get("error")), strings.TrimSuffix(clean(q.Get("error_description")), ".")
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
func (c *Client) exchange(ctx context.Context, a *Attempt, code redact.Secret) (*tokenAnswer, error) {
	res, err := c.tokenRequest(ctx, a.Server, a.Registration, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code.Reveal()},
		"redirect_uri":  {a.RedirectURI},
		"code_verifier": {a.Verifier.Reveal()},
		"resource":      {a.Resource},
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
