package auth

// RFC 8628 sections 3.3 to 3.5: asking the token endpoint until the person has
// decided.

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

const (
	pollPause    = 5 * time.Second // RFC 8628 section 3.2: where the server names none
	slowDown     = 5 * time.Second // RFC 8628 section 3.5: each time the server says so
	maxPollPause = time.Minute     // with a server that is in trouble, or asks for more
	longestPause = 5 * time.Minute // that a server may name for itself: a code is good for some minutes
)

// poll shows the code and asks for the tokens until the person has decided
// (RFC 8628 sections 3.3 to 3.5).
func (c *Client) poll(ctx context.Context, a *Attempt) error {
	c.audience.tell(told{address: a.Device.Address(), code: &a.Device.UserCode})
	defer c.audience.forget()
	regular, pause := a.Device.Pause, a.Device.Pause
	for {
		if err := sleep(ctx, pause); err != nil {
			return codeExpired(ctx, err)
		}
		err := c.redeem(ctx, a)
		switch code, trouble := pollAgain(err); {
		case trouble > 0:
			pause = min(max(2*pause, trouble), max(pause, maxPollPause))
		case code == "slow_down":
			regular += slowDown
			pause = regular
		case code == "authorization_pending":
			pause = regular
		default:
			return err
		}
	}
}

// redeem asks once. Nobody's leaving strands a grant that is neither stored nor
// revoked: it may be given at any time.
func (c *Client) redeem(ctx context.Context, a *Attempt) error {
	// For the same reason the caller cannot end it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeLimit)
	defer cancel()
	res, err := c.tokenRequest(ctx, a.Server, a.Registration, withResource(url.Values{
		"grant_type":  {deviceGrant},
		"device_code": {a.Device.Secret.Reveal()},
	}, a.Resource))
	if err != nil {
		return codeError(err, a.Registration, c.cfg.Resource)
	}
	_, err = c.keep(ctx, a, res)
	return err
}

// pollAgain tells why to ask again: by the server's code, or after a trouble that
// passes, not before the time that it returns. Neither: err is the end.
func pollAgain(err error) (code string, trouble time.Duration) {
	te, ok := errors.AsType[*tokenError](err)
	switch {
	case isLost(err):
		return "", pollPause
	case !ok:
		return "", 0
	case te.code == "authorization_pending" || te.code == "slow_down":
		return te.code, 0
	case te.code == "" || te.code == "server_error" || te.code == "temporarily_unavailable":
		return "", max(pollPause, te.retryIn())
	}
	return "", 0
}

// retryIn is the server's Retry-After in seconds, or 0.
func (e *tokenError) retryIn() time.Duration {
	s, err := strconv.Atoi(e.retryAfter)
	if err != nil || s < 0 || s > int(maxPollPause/time.Second) {
		return 0
	}
	return time.Duration(s) * time.Second
}

// codeError says what the server's last word on a code means.
func codeError(err error, r Registration, resource string) error {
	te, ok := errors.AsType[*tokenError](err)
	switch {
	case ok && te.code == "access_denied":
		return denied(strings.TrimSuffix(te.code+", "+te.description, ", "), te.description)
	case ok && te.code == "expired_token":
		return hint.With(fmt.Errorf("%w: the code is not good any more", ErrTimeout), codeAdvice)
	case ok && te.code == "invalid_client" && r.Dynamic:
		return hint.With(fmt.Errorf("the server has forgotten this program meanwhile: %w", err), codeAdvice)
	default:
		return exchangeError(err, r, resource)
	}
}

const codeAdvice = "start again with payu-mcp login --no-browser, and allow the access while the code is good"

// codeExpired tells the end of the code's time from other ends.
func codeExpired(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), ErrTimeout) {
		return hint.With(fmt.Errorf("%w: the code is not good any more", ErrTimeout), codeAdvice)
	}
	return err
}
