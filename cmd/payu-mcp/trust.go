package main

import (
	"bufio"
	"cmp"
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

// checkForBridge: what a token passes through, is traded for, or is asked for
// with, is only what a person gave to login, unless all of it stays on this
// computer.
func (o *options) checkForBridge() error {
	if o.staysHere() {
		return nil
	}
	o.trustSealedSecret()
	const what = "%s is not taken from a host's configuration"
	if strange := o.notIn(o.saved); len(strange) > 0 {
		return usagef("give it to payu-mcp login once; the bridge then knows it", what, strings.Join(strange, " and "))
	}
	// The configuration may name the folder, too, and bring it along.
	if strange := o.notIn(settings{}); len(strange) > 0 && o.givenToLogin() != o.saved {
		return usagef("run payu-mcp login --state-dir "+o.stateDir+" in a terminal, if the folder is yours", what, strings.Join(strange, " and "))
	}
	return nil
}

// staysHere tells whether the endpoint, and all that these options say of the way
// to its tokens, is on this computer. An endpoint here may still have its
// authorization server elsewhere: nothing that goes there goes through a proxy of
// the configuration's.
func (o *options) staysHere() bool {
	metadata := o.login.AuthServerMetadataURL
	return auth.IsLoopback(o.login.URL) && (metadata == "" || auth.IsLoopback(metadata)) &&
		(o.login.Proxy == "" || o.login.Proxy == o.givenToLogin().Proxy)
}

// notIn names the options whose values are other ones than those of saved.
func (o *options) notIn(saved settings) []string {
	var names []string
	for _, v := range []struct{ name, now, saved string }{
		{"--ca-file", o.login.CAFile, saved.CAFile},
		{"--proxy", o.login.Proxy, saved.Proxy},
		{"--client-secret-file", o.login.ClientSecretFile, saved.ClientSecretFile},
		{sealedVariable, o.login.secret.Reveal(), ""},
		{"--client-metadata-url", o.login.ClientMetadataURL, saved.ClientMetadataURL},
		{"--resource", o.login.Resource, saved.Resource},
		{"--auth-server-metadata-url", o.login.AuthServerMetadataURL, saved.AuthServerMetadataURL},
	} {
		if v.now != v.saved {
			names = append(names, v.name)
		}
	}
	return names
}

// trustSealedSecret leaves a secret of the environment alone if login has sealed
// one for the same client: that one counts, and a shell that still has it in its
// environment is no stranger.
func (o *options) trustSealedSecret() {
	if o.login.secret == "" {
		return
	}
	sum, err := peekSummary(o, cmp.Or(o.login.URL, auth.PayUEndpoint))
	if err == nil && sum != nil && sum.ClientSecret && sum.ClientID == o.login.ClientID {
		o.login.secret = ""
	}
}

// mayAskToSignIn refuses a sign-in at an endpoint of somebody else where this
// user has not signed in with login. A file that merely lies in a folder that
// the configuration names is no proof of that: its key must be in the keychain,
// or the folder be one that login has written into.
func (p *parts) mayAskToSignIn(ctx context.Context, o *options) error {
	if ownEndpoint(p.endpoint) {
		return nil
	}
	cred, err := (&credentialStore{sealed: p.store, log: p.log}).Load(ctx)
	if err != nil {
		return err
	}
	ours := p.store.Kind() == keychain.KindKeychain || o.isOwnFolder()
	if cred != nil && !cred.SignedInAt.IsZero() && ours {
		return nil
	}
	return hint.With(errors.New("this endpoint is not PayU's, and nobody has signed in to it on this computer"),
		"if you trust it, run in a terminal: payu-mcp login --url "+p.endpoint)
}

// confirmForeign lets a person at a terminal decide about an endpoint of
// somebody else, and about metadata that somebody else keeps: it says where the
// person's browser goes. Once: afterwards the profile knows them.
func confirmForeign(e env, s, saved settings) error {
	var questions [][2]string // what is so, and what it is to be trusted with
	if !ownEndpoint(s.URL) && s.URL != saved.URL {
		questions = append(questions, [2]string{hostOf(s.URL) + " is not PayU", "Sign in there, and let your assistants use it?"})
	}
	if !s.ownMetadata() && (s.AuthServerMetadataURL != saved.AuthServerMetadataURL || s.URL != saved.URL) {
		questions = append(questions, [2]string{hostOf(s.AuthServerMetadataURL) + " is not where the endpoint is", "Let it say where you sign in?"})
	}
	if len(questions) == 0 {
		return nil
	}
	if !term.IsTerminal(int(e.stdin.Fd())) {
		return hint.With(fmt.Errorf("%s, so the first sign-in there needs a person at a terminal", questions[0][0]),
			"if you trust it, run this in a terminal: "+loginCommandFor(s))
	}
	in := bufio.NewReader(e.stdin)
	for _, q := range questions {
		if err := confirm(in, e.stdout, q[0]+". "+q[1]+" [y/N] "); err != nil {
			return err
		}
	}
	return nil
}

// confirm asks one question; only a yes is no error.
func confirm(in *bufio.Reader, out io.Writer, question string) error {
	if _, err := io.WriteString(out, question); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	line, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer == "y" || answer == "yes" {
		return nil
	}
	return fmt.Errorf("%w: you said no", auth.ErrDenied)
}

// ownMetadata tells whether the authorization server metadata is kept where the
// endpoint is: at the same host, at PayU for PayU's, on this computer for one on
// this computer.
func (s settings) ownMetadata() bool {
	raw := s.AuthServerMetadataURL
	endpoint := cmp.Or(s.URL, auth.PayUEndpoint)
	return raw == "" || hostOf(raw) == hostOf(endpoint) || auth.OnPayU(endpoint) && auth.OnPayU(raw) ||
		auth.IsLoopback(endpoint) && auth.IsLoopback(raw)
}

// hostOf is the host of a URL that was checked, port included.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

func loginCommandFor(s settings) string {
	command := "payu-mcp login"
	if s.URL != "" {
		command += " --url " + s.URL
	}
	if s.AuthServerMetadataURL != "" {
		command += " --auth-server-metadata-url " + s.AuthServerMetadataURL
	}
	return command
}
