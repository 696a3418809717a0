package main

import (
	"cmp"
	"fmt"
	"os"
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
		return settings{Store: saved.Store, brakes: saved.brakes}
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
	}
	return nil
}

// checkAddresses holds all that names an address to the rules of auth.
func (s settings) checkAddresses() error {
	cfg := auth.Config{
		Resource: cmp.Or(s.URL, auth.PayUEndpoint), ClientMetadataURL: s.ClientMetadataURL,
		ResourceIndicator: s.Resource, ServerMetadataURL: s.AuthServerMetadataURL,
	}
	if err := cfg.Check(); err != nil {
		return usageError{err}
	}
	return nil
}
