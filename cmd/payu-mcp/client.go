package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// The options that say which client this program is, and at which authorization
// server: what they may be, and which of them belong together.

// sealedVariable is the other way to give a client secret. There is no flag for
// it, because argument lists are for all users to read (OAUTH A11, A37).
const sealedVariable = "PAYU_MCP_CLIENT_SECRET"

// noIndicator is the --resource that sends none.
const noIndicator = "none"

// takeSecret reads the client secret of the environment, for the commands that
// know one, and takes it out of there: no browser or other child inherits it.
func (o *options) takeSecret(flags *pflag.FlagSet, getenv func(string) string) error {
	secret := redact.Secret(strings.TrimSpace(getenv(sealedVariable)))
	if err := os.Unsetenv(sealedVariable); err != nil {
		return fmt.Errorf("clearing the environment: %w", err)
	}
	if flags.Lookup("client-secret-file") == nil {
		return nil
	}
	o.login.secret = secret
	given := flags.Changed("client-secret-file")
	if given && o.login.secret != "" && o.login.ClientSecretFile != "" {
		return usagef("give the secret in one way", "both --client-secret-file and %s are given", sealedVariable)
	}
	o.login.noSecret = given && o.login.secret == "" && o.login.ClientSecretFile == ""
	return nil
}

// stillGood returns what of saved goes with what was given. Another endpoint
// starts anew. A client belongs to an authorization server, and a secret to a
// client: no other one is to see it (OAUTH A15). There is one client and one
// secret, so one that is given replaces one that is remembered in another form.
func (s settings) stillGood(saved settings, given func(flag string) bool) settings {
	if given("url") && cmp.Or(s.URL, auth.PayUEndpoint) != cmp.Or(saved.URL, auth.PayUEndpoint) {
		return settings{Store: saved.Store}
	}
	if given("auth-server-metadata-url") && s.AuthServerMetadataURL != saved.AuthServerMetadataURL ||
		given("client-metadata-url") && s.ClientMetadataURL != "" {
		saved.ClientID, saved.ClientSecretFile = "", ""
	}
	if given("client-id") && s.ClientID != saved.ClientID {
		saved.ClientMetadataURL, saved.ClientSecretFile = "", ""
	}
	if s.secret != "" {
		saved.ClientSecretFile = ""
	}
	return saved
}

func (s settings) checkClient() error {
	switch {
	case s.ClientID != "" && s.ClientMetadataURL != "":
		return usagef("give one of them", "--client-id and --client-metadata-url both name the client")
	case s.ClientSecretFile != "" && s.ClientID == "":
		return usagef("give the client id with --client-id", "--client-secret-file needs --client-id")
	case s.secret != "" && s.ClientID == "":
		return usagef("give the client id with --client-id, or unset it", "%s needs --client-id", sealedVariable)
	case s.ClientMetadataURL == "":
		return nil
	}
	const advice = "give the https address, with a path, under which the document is hosted; docs/login.md has an example"
	if err := auth.CheckAddress(s.ClientMetadataURL, false); err != nil {
		return usagef(advice, "--client-metadata-url: %w", err)
	}
	if !isClientID(s.ClientMetadataURL) {
		return usagef(advice, "--client-metadata-url must have a path, without . and .., and no fragment")
	}
	return nil
}

// isClientID tells whether the https address raw has the form of a client id
// (draft-ietf-oauth-client-id-metadata-document section 3).
func isClientID(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || strings.Contains(raw, "#") || u.Path == "" || u.Path == "/" {
		return false
	}
	return !slices.ContainsFunc(strings.Split(u.Path, "/"), func(part string) bool { return part == "." || part == ".." })
}

func (s settings) checkServer() error {
	if raw := s.AuthServerMetadataURL; raw != "" {
		if err := auth.CheckAddress(raw, auth.IsLoopback(s.URL)); err != nil {
			return usagef("give the https address of the metadata document", "--auth-server-metadata-url: %w", err)
		}
	}
	if err := checkIndicator(s.Resource); err != nil {
		return usagef("give --resource none, or the URI that the server wants", "--resource: %w", err)
	}
	return nil
}

// checkIndicator allows what RFC 8707 section 2 does: an absolute URI without a
// fragment.
func checkIndicator(raw string) error {
	if raw == "" || raw == noIndicator {
		return nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || !u.IsAbs() || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return errors.New("this is no absolute URI")
	case strings.Contains(raw, "#"):
		return errors.New("a resource indicator has no fragment")
	}
	return nil
}
