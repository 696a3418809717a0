package auth

// RFC 8628: OAuth 2.0 Device Authorization Grant. The person opens a page on any
// device and compares or enters a code; nothing has to come back to this computer.

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// UserCode is what a person is shown of a sign-in by code (RFC 8628 section 3.2).
// The addresses have passed the rules for a server's URLs; nothing in it is secret
// before the person whom it is shown to.
type UserCode struct {
	// Page is where the code is entered.
	Page string
	// Link is the page with the code filled in; "": the server gave none.
	Link string
	// Code is to be entered, or compared with what the page shows.
	Code string
}

// Address is what to open.
func (u UserCode) Address() string { return cmp.Or(u.Link, u.Page) }

// Device is the open device authorization of an Attempt.
type Device struct {
	UserCode
	// Secret is the device_code, which the tokens are given for.
	Secret redact.Secret
	// Pause is how long to wait between two questions.
	Pause time.Duration
}

// serverDocument is the metadata of an authorization server with the member of
// RFC 8628 section 4, which oauthex does not have.
type serverDocument struct {
	oauthex.AuthServerMeta

	Device string `json:"device_authorization_endpoint"`
}

// deviceEndpoint is "" also where the document lists the grant types and not this
// one.
func (m *serverDocument) deviceEndpoint() string {
	if m.GrantTypesSupported != nil && !slices.Contains(m.GrantTypesSupported, deviceGrant) {
		return ""
	}
	return m.Device
}

// registerWithCode registers, with the device grant if the sign-in wants it. A
// server that refuses that gets the registration without it.
func (c *Client) registerWithCode(ctx context.Context, d *discovery, redirectURI string) (Registration, error) {
	reg, err := c.register(ctx, d.server, redirectURI)
	if err == nil || d.server.DeviceEndpoint == "" || isLost(err) || errors.Is(err, errRedirectRefused) {
		return reg, err
	}
	d.server.DeviceEndpoint = ""
	reg, err = c.register(ctx, d.server, redirectURI)
	reg.Device = true
	return reg, err
}

// askForCode turns a into a sign-in by code, if p wants one and the server gives
// one. Else it stays as it is: pasting the last page's address is a way everywhere.
func (c *Client) askForCode(ctx context.Context, a *Attempt, p Prompt) error {
	if !p.WantCode || a.Server.DeviceEndpoint == "" {
		return nil
	}
	d, life, err := c.requestCode(ctx, a)
	switch {
	case err == nil:
		a.Device = d
		if end := c.now().Add(life); life > 0 && end.Before(a.Expiry) {
			a.Expiry = end
		}
	case ctx.Err() != nil || !isRefused(err):
		return err
	case p.NoCode != nil:
		p.NoCode(err)
	}
	return nil
}

// refusedError: there is no code to be had. Another way may be open.
type refusedError struct{ error }

// Unwrap gives the reason.
func (e *refusedError) Unwrap() error { return e.error }

func isRefused(err error) bool {
	_, ok := errors.AsType[*refusedError](err)
	return ok
}

func refused(format string, args ...any) error { return &refusedError{serverFault(format, args...)} }

// codeAnswer is the response of RFC 8628 section 3.2, or an error response.
type codeAnswer struct {
	DeviceCode  string   `json:"device_code"`
	UserCode    string   `json:"user_code"`
	Page        string   `json:"verification_uri"`
	Link        string   `json:"verification_uri_complete"`
	ExpiresIn   seconds  `json:"expires_in"`
	Interval    seconds  `json:"interval"`
	Error       string   `json:"error"`
	Description string   `json:"error_description"`
	_           struct{} // fields by name only
}

// requestCode is the device authorization request (RFC 8628 section 3.1). life is
// 0 when the server does not say how long the code is good.
func (c *Client) requestCode(ctx context.Context, a *Attempt) (d *Device, life time.Duration, err error) {
	form := withResource(url.Values{}, a.Resource)
	if len(a.Scopes) > 0 {
		form.Set("scope", strings.Join(a.Scopes, " "))
	}
	ans, err := c.postForm(ctx, a.Server.DeviceEndpoint, a.Registration, form)
	if err != nil {
		return nil, 0, refused("asking for a code: %w", err)
	}
	var res codeAnswer
	switch err := ans.decode(&res); {
	case errorCode(res.Error) != "":
		words := clean(without(form, a.Registration, res.Description))
		return nil, 0, redact.Foreign(refused("the server gives no code: %s", strings.TrimSuffix(res.Error+", "+words, ", ")), words)
	case ans.status != http.StatusOK:
		return nil, 0, refused("the server gives no code: its device authorization endpoint answered status %d", ans.status)
	case err != nil:
		return nil, 0, refused("reading the server's code: %w", err)
	}
	d = res.device()
	return d, time.Duration(res.ExpiresIn) * time.Second, c.checkDevice(d)
}

func (res *codeAnswer) device() *Device {
	pause := cmp.Or(time.Duration(res.Interval)*time.Second, pollPause)
	return &Device{
		UserCode: UserCode{Page: res.Page, Link: res.Link, Code: clean(res.UserCode)},
		Secret:   redact.Secret(res.DeviceCode), Pause: min(pause, longestPause),
	}
}

// checkDevice applies the rules for a server's URLs to what a person is to open
// (OAUTH X1, Y2), and writes them as they will be shown.
func (c *Client) checkDevice(d *Device) error {
	if d.Secret == "" || d.Code == "" || d.Code != clean(d.Code) || d.Page == "" || d.Pause <= 0 {
		return refused("the server's answer holds no code, or no page for it")
	}
	for _, address := range []*string{&d.Page, &d.Link} {
		if *address == "" {
			continue
		}
		u, err := c.checkServerURL(*address)
		if err != nil {
			return hint.With(serverFault("the page for the code is not safe: %w", err), "do not sign in there; this is on the server's side. "+payuContact(c.cfg.Resource))
		}
		if err := checkPin(c.cfg.Resource, "device page", u); err != nil {
			return err
		}
		*address = u.String()
	}
	return nil
}

// sealedDevice is the wire form of a Device inside the sealed file.
type sealedDevice struct {
	Page   string        `json:"page"`
	Link   string        `json:"link,omitempty"`
	Code   string        `json:"code"`
	Secret string        `json:"secret"`
	Pause  time.Duration `json:"pause"`
}

func (d *Device) seal() *sealedDevice {
	if d == nil {
		return nil
	}
	return &sealedDevice{d.Page, d.Link, d.Code, d.Secret.Reveal(), d.Pause}
}

func (s *sealedDevice) unseal() *Device {
	if s == nil {
		return nil
	}
	return &Device{UserCode{s.Page, s.Link, s.Code}, redact.Secret(s.Secret), s.Pause}
}
