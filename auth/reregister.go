package auth

// A client registered by RFC 7591 that the authorization server has forgotten. No
// RFC says how that shows: as invalid_client at the token endpoint, or as a page at
// the authorization endpoint, of which only the person's browser hears (OAUTH L8,
// Q5). What is done about either is in docs/decisions.md.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// tryLimit bounds the question to the authorization endpoint: a person waits for
// the page meanwhile.
const tryLimit = 5 * time.Second

// unknownClientError: the server does not know the client, or will not have it.
type unknownClientError struct{ error }

// Unwrap gives the reason.
func (e *unknownClientError) Unwrap() error { return e.error }

// forgotten tells whether the authorization endpoint has forgotten the registration
// of an earlier sign-in, before anybody is sent there. It errs on the side of no.
func (c *Client) forgotten(ctx context.Context, d *discovery, r Registration) bool {
	if d.grantAlive {
		return false // so its client is
	}
	said := c.try(ctx, d, r)
	if said == "" {
		return false
	}
	c.log.WarnContext(ctx, "the server seems to have forgotten this client; registering again", "said", said)
	return true
}

// warnRefused tells of a client that the user named and the authorization endpoint
// turns away: else only a page would, and a sign-in that nobody can finish. It is no
// reason to stop, since what a person's browser gets may be another thing.
func (c *Client) warnRefused(ctx context.Context, d *discovery, r Registration) {
	if said := c.try(ctx, d, r); said != "" {
		c.log.WarnContext(ctx, "the sign-in page seems to refuse this client: check the option that names it, and that this redirect URI is registered for it (--callback-port)",
			"option", clientOption(r), "said", said, "redirect_uri", r.RedirectURI)
	}
}

// try sends the authorization request of client r once, with a state and a
// challenge that nobody uses, and returns what of the answer says that the client
// is not known; "" is anything else, and no answer.
func (c *Client) try(ctx context.Context, d *discovery, r Registration) (said string) {
	_, said = c.askToAuthorize(ctx, d, r)
	return said
}

// askToAuthorize returns the status of the answer, 0 when none came, and try's word.
func (c *Client) askToAuthorize(ctx context.Context, d *discovery, r Registration) (status int, said string) {
	target, err := newAttempt(d, r, r.RedirectURI).url(IsLoopback(c.cfg.Resource))
	if err != nil {
		return 0, "" // begin says so
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return 0, ""
	}
	req.Header.Set("Accept", "text/html")
	res, err := c.http.Do(req)
	if err != nil {
		return 0, ""
	}
	_ = res.Body.Close() // the page is for a person
	return res.StatusCode, turnedAway(res)
}

// turnedAway reads the answers of servers that do not know a client: status 400
// (most), 401 (Doorkeeper), 422 (Supabase), or a redirect with invalid_client to us
// or to a page of theirs (Hydra). A 401 that wants a person's own login (Negotiate,
// Basic) is no such thing, nor are the 403 and 5xx of firewalls.
func turnedAway(res *http.Response) (said string) {
	switch code := res.StatusCode; {
	case code == http.StatusBadRequest, code == http.StatusUnprocessableEntity, code == http.StatusUnauthorized && !wantsLogin(res.Header):
		return "status " + strconv.Itoa(code)
	case code >= 300 && code < 400:
		to, err := res.Location()
		if err != nil {
			return ""
		}
		if e := to.Query().Get("error"); e == "invalid_client" || e == "unauthorized_client" {
			return e
		}
	}
	return ""
}

// wantsLogin tells whether a 401 asks for a login of HTTP itself.
func wantsLogin(h http.Header) bool {
	for _, v := range h.Values("WWW-Authenticate") {
		if scheme, _, _ := strings.Cut(v, " "); !strings.EqualFold(scheme, "Bearer") {
			return true
		}
	}
	return false
}

// compare notes what the client of a is to the one that was remembered.
func (a *Attempt) compare(known *Registration) {
	a.Fresh = known == nil || known.ClientID != a.Registration.ClientID
	a.Renewed = a.Fresh && known != nil && known.RedirectURI == a.RedirectURI
}

// again registers anew, once, when the server does not know the client of a, and
// returns the sign-in that goes on in its place: on the same port, in the same
// browser, and sealed. Without one, err stands, or says more.
func (c *Client) again(ctx context.Context, a *Attempt, err error) (*Attempt, error) {
	if _, unknown := errors.AsType[*unknownClientError](err); !unknown || !a.Registration.Dynamic {
		return nil, err
	}
	if a.Renewed {
		return nil, hint.With(fmt.Errorf("registered again, and refused again: %w", err),
			"the server takes no client that registers itself, or none without a secret; "+byHand(c.cfg.Resource))
	}
	c.log.WarnContext(ctx, "the server does not know this client; registering again", "err", err)
	reg, regErr := c.register(ctx, a.Server, a.RedirectURI)
	if regErr != nil {
		return nil, fmt.Errorf("registering again, because the server does not know this client: %w", regErr)
	}
	next := *a
	next.Registration, next.Fresh, next.Renewed = reg, true, true
	next.State, next.Verifier = newState(), redact.Secret(oauth2.GenerateVerifier())
	next.Opened = a.Opened || a.Bound // its browser has the cookie, or could not have come back
	if err := c.sealAttempt(ctx, &next); err != nil {
		return nil, err
	}
	return &next, nil
}

// newState is 260 bits (OAUTH A25).
func newState() redact.Secret { return redact.Secret(rand.Text() + rand.Text()) }

// lead brings the person to the sign-in that goes on: the browser that is held by
// itself, others by the address.
func (c *Client) lead(ln *loopback.Listener, a *Attempt, p Prompt, byCallback bool) error {
	here := IsLoopback(c.cfg.Resource)
	target, err := a.url(here)
	if err != nil {
		return err
	}
	address, err := a.address(here)
	if err != nil {
		return err
	}
	if !byCallback && p.Refuse != nil {
		p.Refuse(hint.With(errors.New("the server had forgotten this program, which is registered again now"),
			"open the new address below and paste the address of the last page that it leads to"))
	}
	c.audience.tell(told{address: address})
	ln.GoOn(target)
	return nil
}

// unfinished returns c without the sign-in a, whose time ran out after somebody was
// led to the page. A client of an earlier sign-in goes with it: the page may have
// said that it is not known, which Doorkeeper does only after the person's login.
func (c *Credential) unfinished(a *Attempt) *Credential {
	next := c.withAttempt(nil)
	seen := a.Device == nil && (!a.Bound || c.attempt().same(a) && c.Attempt.Opened)
	if seen && !a.Fresh && a.Registration.Dynamic && !c.SignedIn() && next.Registration.ClientID == a.Registration.ClientID {
		next.Registration = Registration{}
	}
	return next
}

// dropUnfinished stores that.
func (c *Client) dropUnfinished(ctx context.Context, a *Attempt) {
	c.changeStored(ctx, a, func(cur *Credential) *Credential { return cur.unfinished(a) })
}
