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
func (a *Attempt) code(q url.Values, resource string) (redact.Secret, error) {
	iss, told := q["iss"]
	switch {
	case told && (len(iss) != 1 || iss[0] != a.Server.Issuer):
		return "", hint.With(serverFault("the answer came from another authorization server than the one asked"), "start again with payu-mcp login; if it happens again, do not sign in")
	case !told && a.Server.IssRequired:
		return "", hint.With(serverFault("the answer does not say which authorization server it is from"), "start again with payu-mcp login; if it happens again, it is on the server's side")
	case q.Has("error"):
		return "", &answeredError{a.refused(q, resource), clean(q.Get("error"))}
	case len(q["code"]) != 1 || q.Get("code") == "":
		return "", hint.With(serverFault("the answer of the authorization server holds no code"), tryAgain(resource))
	}
	return redact.Secret(q.Get("code")), nil
}

// refused reads an error of the authorization response (RFC 6749 section 4.1.2.1).
func (a *Attempt) refused(q url.Values, resource string) error {
	code, text := clean(q.Get("error")), strings.TrimSuffix(clean(q.Get("error_description")), ".")
	said := strings.TrimSuffix(code+", "+text, ", ")
	words := text
	if errorCode(code) == "" {
		words = said
	}
	err := redact.Foreign(serverFault("the authorization server answered %s", said), words)
	switch code {
	case "access_denied":
		return denied(said, words)
	case "invalid_scope":
		return hint.With(err, "choose the scopes with --scope. "+payuContact(resource))
	case "invalid_target":
		return hint.With(err, resourceHint+". "+payuContact(resource))
	case "invalid_client", "unauthorized_client":
		return hint.With(&unknownClientError{err}, "check "+clientOption(a.Registration)+". "+payuContact(resource))
	case "invalid_request":
		return hint.With(serverFault("with the redirect URI %s: %w", a.RedirectURI, err),
			"the server may not take this redirect URI: "+otherRedirect(resource))
	default:
		return hint.With(err, tryAgain(resource))
	}
}

// denied is the end of a sign-in that somebody said no to; words are the server's own.
func denied(said, words string) error {
	return hint.With(redact.Foreign(fmt.Errorf("%w (%s)", ErrDenied, said), words), "try again with payu-mcp login; if MCP is not enabled for your PayU account, ask "+payuContacts)
}

// exchange spends the code (RFC 6749 section 4.1.3), once.
func (c *Client) exchange(ctx context.Context, a *Attempt, code redact.Secret) (*tokenAnswer, error) {
	res, err := c.tokenRequest(ctx, a.Server, a.Registration, withResource(url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code.Reveal()},
		"redirect_uri":  {a.RedirectURI},
		"code_verifier": {a.Verifier.Reveal()},
	}, a.Resource))
	if err != nil {
		return nil, exchangeError(err, a.Registration, c.cfg.Resource)
	}
	return res, nil
}

func exchangeError(err error, r Registration, resource string) error {
	err = fmt.Errorf("exchanging the code: %w", err)
	te, ok := errors.AsType[*tokenError](err)
	switch {
	case ok && te.code == "invalid_client":
		return hint.With(&unknownClientError{err}, secretAdvice(r, resource))
	case hint.Of(err) != "": // of the way there
		return err
	case ok && te.code == "invalid_target":
		return hint.With(err, resourceHint+". "+payuContact(resource))
	default:
		return hint.With(err, tryAgain(resource))
	}
}
