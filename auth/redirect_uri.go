package auth

// RFC 8252 section 7.3: the redirect to this computer. It is the IP literal, and
// the name localhost only for a server that takes nothing else (OAUTH A14, X11).

import (
	"context"
	"errors"
	"fmt"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// errRedirectRefused: the server does not register the redirect URI.
var errRedirectRefused = errors.New("the redirect URI is refused")

// isRedirectURI tells whether uri is one that we can be answered at.
func isRedirectURI(uri string) bool {
	port := registeredPort(&Registration{RedirectURI: uri})
	return port != 0 && (uri == loopback.RedirectURI(port) || uri == loopback.LocalhostURI(port))
}

// listenFor binds what a browser may mean by uri.
func listenFor(ctx context.Context, uri string) (*loopback.Listener, error) {
	port := registeredPort(&Registration{RedirectURI: uri})
	ln, err := listenAgain(ctx, uri)
	if err != nil || uri != loopback.LocalhostURI(port) {
		return ln, err
	}
	if err := ln.UseLocalhost(ctx); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// registerByName registers once more, with the name localhost instead of the IP
// literal that the server has refused. That name is safe only if nobody else
// listens at any address that it stands for.
func (c *Client) registerByName(ctx context.Context, d *discovery, ln *loopback.Listener, refused error) (Registration, error) {
	if err := ln.UseLocalhost(ctx); err != nil {
		return Registration{}, hint.With(fmt.Errorf("%w; localhost instead is not safe: %w", refused, err),
			"close the program that has the port; "+otherRedirect(c.cfg.Resource))
	}
	reg, err := c.registerWithCode(ctx, d, ln.RedirectURI())
	if errors.Is(err, errRedirectRefused) {
		err = hint.With(fmt.Errorf("%w; and with the name: %w", refused, err), otherRedirect(c.cfg.Resource))
	}
	return reg, err
}
