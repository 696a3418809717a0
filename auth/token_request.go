package auth

// RFC 6749 sections 3.2, 5: the token endpoint. One way in for the code
// exchange and the refresh, because both need `resource` (RFC 8707) and the same
// reading of errors, which x/oauth2 does not give.

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// tokenAnswer is a successful token response (RFC 6749 section 5.1), with the
// members by which servers tell who signed in.
type tokenAnswer struct {
	AccessToken  string   `json:"access_token"`
	TokenType    string   `json:"token_type"`
	ExpiresIn    seconds  `json:"expires_in"`
	RefreshToken string   `json:"refresh_token"`
	Scope        granted  `json:"scope"`
	IDToken      extra    `json:"id_token"`
	Email        extra    `json:"email"`
	Name         extra    `json:"name"`
	UserUUID     extra    `json:"user_uuid"` // PayU (PAYU P8)
	Error        string   `json:"error"`
	Description  string   `json:"error_description"`
	_            struct{} // fields by name only
}

// seconds accepts a number or, as some servers send it, a string.
type seconds int64

// UnmarshalJSON implements json.Unmarshaler. An unreadable life counts as not
// said.
func (s *seconds) UnmarshalJSON(b []byte) error {
	const century = 100 * 366 * 24 * 3600
	if f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64); err == nil && f > 0 && f < century {
		*s = seconds(f)
	}
	return nil
}

// granted are the scopes of the answer; nil when it tells none.
type granted []string

// UnmarshalJSON implements json.Unmarshaler. Some servers send an array instead of
// RFC 6749's text; what is neither counts as not said, since a rotated token must
// not be lost for it.
func (g *granted) UnmarshalJSON(b []byte) error {
	var list []string
	var text *string
	switch {
	case json.Unmarshal(b, &text) == nil && text != nil:
		*g = append(granted{}, splitScopes(*text)...)
	case json.Unmarshal(b, &list) == nil && list != nil:
		*g = list
	}
	return nil
}

// extra is a member of the answer that is only shown. No specification says what
// it is in a token response, and a rotated token must not be lost for it.
type extra string

// UnmarshalJSON implements json.Unmarshaler. What is no text counts as not said.
func (e *extra) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*e = extra(s)
	}
	return nil
}

// tokenError is an error response of the token endpoint. It is judged by its
// code, never by the HTTP status (PAYU E8, E9).
type tokenError struct {
	code        string // RFC 6749 section 5.2; "" when the answer was no such thing
	description string // cleaned
	status      int
	retryAfter  string
}

// Error implements error.
func (e *tokenError) Error() string { return strings.TrimSuffix(e.short()+", "+e.description, ", ") }

// ForeignText lets no log keep the server's own text.
func (e *tokenError) ForeignText() string { return e.description }

// short says it without the server's own text.
func (e *tokenError) short() string {
	if e.code == "" {
		return fmt.Sprintf("the token endpoint answered status %d", e.status)
	}
	return "the token endpoint answered " + e.code
}

// errorCode returns s if it looks like a code of RFC 6749 section 5.2.
func errorCode(s string) string {
	const longest = 40
	notCode := func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }
	if len(s) > longest || strings.ContainsFunc(s, notCode) {
		return ""
	}
	return s
}

// without masks what client r sent in what the server says about it, also in the
// forms in which it was sent.
func without(form url.Values, r Registration, text string) string {
	sent := []string{r.Secret.Reveal(), basicCredential(r)}
	for _, values := range form {
		sent = append(sent, values...)
	}
	for _, v := range sent {
		for _, form := range []string{v, url.QueryEscape(v)} {
			const shortest = 8 // not "none" or a grant type's part
			if len(v) >= shortest {
				text = strings.ReplaceAll(text, form, redact.Mark)
			}
		}
	}
	return text
}

// basicCredential is what client_secret_basic sends.
func basicCredential(r Registration) string {
	// RFC 6749 section 2.3.1: form-encoded before they go into the header.
	return base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(r.ClientID) + ":" + url.QueryEscape(r.Secret.Reveal())))
}

// Is lets callers see whose fault it is.
func (e *tokenError) Is(target error) bool { return target == ErrServer }

// tokenRequest posts form to the token endpoint as client r.
func (c *Client) tokenRequest(ctx context.Context, s Server, r Registration, form url.Values) (*tokenAnswer, error) {
	a, err := c.postForm(ctx, s.TokenEndpoint, r, form)
	if err != nil {
		return nil, err
	}
	var res tokenAnswer
	if err := a.decode(&res); err != nil || res.Error != "" || (a.status != http.StatusOK && a.status != http.StatusCreated) {
		return nil, &tokenError{code: errorCode(res.Error), description: clean(without(form, r, res.Description)), status: a.status, retryAfter: a.retry}
	}
	if res.AccessToken == "" || strings.ContainsFunc(res.AccessToken, notInHeader) || (res.TokenType != "" && !strings.EqualFold(res.TokenType, "bearer")) {
		return nil, serverFault("the token endpoint's answer is not a bearer token")
	}
	return &res, nil
}

// notInHeader tells what cannot be part of a bearer token (RFC 6750 section 2.1):
// such a token would be stored, and then fail at each request.
func notInHeader(r rune) bool { return r <= ' ' || r > '~' }

// postForm authenticates client r as it was registered (OAUTH A34) and posts.
func (c *Client) postForm(ctx context.Context, endpoint string, r Registration, form url.Values) (*answer, error) {
	if r.AuthMethod != authBasic {
		form.Set("client_id", r.ClientID)
	}
	if r.AuthMethod == authPost {
		form.Set("client_secret", r.Secret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("making a request: %T", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.AuthMethod == authBasic {
		req.Header.Set("Authorization", "Basic "+basicCredential(r))
	}
	return c.send(ctx, req)
}

// apply returns cred with the tokens of res, received at now. A refresh token
// that is not replaced stays (OAUTH A41); scopes that are not told are the
// ones asked for (RFC 6749 section 5.1).
func (res *tokenAnswer) apply(cred Credential, now time.Time) *Credential {
	cred.AccessToken = redact.Secret(res.AccessToken)
	cred.ObtainedAt = now.Round(0) // wall clock: the monotonic one stands still in sleep (OAUTH L1)
	cred.Expiry = time.Time{}
	if res.ExpiresIn > 0 {
		cred.Expiry = cred.ObtainedAt.Add(time.Duration(res.ExpiresIn) * time.Second)
	}
	if res.RefreshToken != "" {
		cred.RefreshToken = redact.Secret(res.RefreshToken)
	}
	if res.Scope != nil {
		cred.Scopes = res.Scope
	}
	return &cred
}
