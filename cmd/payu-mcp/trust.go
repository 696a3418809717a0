package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/term"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// A host's configuration may come from a stranger, with a cloned repository. The
// rules of this file keep it from leading a person to a stranger's sign-in page
// or a token through a stranger's proxy (OAUTH X17).

// ownEndpoint tells whether endpoint is PayU's or on this computer.
func ownEndpoint(endpoint string) bool {
	return endpoint == "" || endpoint == auth.PayUEndpoint || auth.IsLoopback(endpoint)
}

// checkForBridge: what a token passes through, or is traded for, is only what a
// person gave to login, unless all of it stays on this computer.
func (o *options) checkForBridge() error {
	s, saved := o.login, o.saved
	same := s.CAFile == saved.CAFile && s.Proxy == saved.Proxy && s.ClientSecretFile == saved.ClientSecretFile
	if same || auth.IsLoopback(s.URL) {
		return nil
	}
	return usagef("give them to payu-mcp login once; the bridge then knows them",
		"--ca-file, --proxy and --client-secret-file are not taken from a host's configuration")
}

// mayAskToSignIn refuses a sign-in at an endpoint of somebody else where this
// user has not signed in with login. A file that merely lies in a folder that
// the configuration names is no proof of that: its key must be in the keychain,
// or the folder be the user's own.
func (p *parts) mayAskToSignIn(ctx context.Context, o *options) error {
	if ownEndpoint(p.endpoint) {
		return nil
	}
	cred, err := (&credentialStore{sealed: p.store, log: p.log}).Load(ctx)
	if err != nil {
		return err
	}
	home, err := defaultStateDir()
	ours := p.store.Kind() == keychain.KindKeychain || (err == nil && o.stateDir == home)
	if cred != nil && !cred.SignedInAt.IsZero() && ours {
		return nil
	}
	return hint.With(errors.New("this endpoint is not PayU's, and nobody has signed in to it on this computer"),
		"if you trust it, run in a terminal: payu-mcp login --url "+p.endpoint)
}

// confirmForeign lets a person at a terminal decide about an endpoint of
// somebody else, once: afterwards the profile knows it.
func confirmForeign(e env, endpoint string, saved settings) error {
	if ownEndpoint(endpoint) || endpoint == saved.URL {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return fmt.Errorf("parsing the endpoint: %w", err)
	}
	if !term.IsTerminal(int(e.stdin.Fd())) {
		return hint.With(fmt.Errorf("%s is not PayU, so the first sign-in there needs a person at a terminal", u.Host),
			"if you trust it, run this in a terminal: payu-mcp login --url "+endpoint)
	}
	if _, err := fmt.Fprintf(e.stdout, "%s is not PayU. Sign in there, and let your assistants use it? [y/N] ", u.Host); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	line, err := bufio.NewReader(e.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer == "y" || answer == "yes" {
		return nil
	}
	return fmt.Errorf("%w: you said no", auth.ErrDenied)
}
