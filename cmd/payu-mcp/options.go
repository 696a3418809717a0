package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// options are the flags of a command line, with the environment and what
// `login` remembered filled in (HOSTS C5: flag, environment, profile, default).
type options struct {
	profile  string
	stateDir string
	logLevel string
	logFile  string
	login    settings

	saved  settings          // what the profile remembers
	level  slog.Level        // of logLevel
	origin map[string]string // by flag that was given: sourceFlag, or the variable that gave it
}

// settings are the options that `login` remembers in the profile, because hosts
// strip the environment and their entries stay short.
type settings struct {
	URL                   string `json:"url,omitempty"`
	ClientID              string `json:"client_id,omitempty"`
	ClientSecretFile      string `json:"client_secret_file,omitempty"`
	ClientMetadataURL     string `json:"client_metadata_url,omitempty"`
	Scope                 string `json:"scope,omitempty"`
	CallbackPort          int    `json:"callback_port,omitempty"`
	Resource              string `json:"resource,omitempty"`
	AuthServerMetadataURL string `json:"auth_server_metadata_url,omitempty"`
	CAFile                string `json:"ca_file,omitempty"`
	Proxy                 string `json:"proxy,omitempty"`
	Store                 string `json:"store,omitempty"`
	NoJournal             bool   `json:"no_journal,omitempty"`
	brakes

	secret   redact.Secret // of the environment; sealed with the login, never in the profile
	noSecret bool          // --client-secret-file was given empty
}

// defaultProfile is the one that hosts use if nobody says anything.
const defaultProfile = "default"

const (
	storeKeychain = "keychain"
	storeFile     = "file"
)

// addGlobalFlags binds the options that every command has.
func addGlobalFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.profile, "profile", defaultProfile, "name of the login to use, when you have several")
	f.StringVar(&o.stateDir, "state-dir", "", "folder for the sealed login and settings (default "+displayStateDir()+")")
	f.StringVar(&o.logLevel, "log-level", "info", "how much to log: debug, info, warn, error")
	f.StringVar(&o.logFile, "log-file", "", "append the log to this file, instead of warnings to the standard error and the rest to the one that payu-mcp logs shows")
}

// addLoginFlags binds the options that `login` remembers.
func addLoginFlags(f *pflag.FlagSet, s *settings) {
	f.StringVar(&s.URL, "url", "", "MCP endpoint (default https://api.payu.in/mcp)")
	f.StringVar(&s.ClientID, "client-id", "", "OAuth client id, where clients are registered by hand")
	f.StringVar(&s.ClientSecretFile, "client-secret-file", "", "file with the client secret that belongs to --client-id (or set PAYU_MCP_CLIENT_SECRET to the secret)")
	f.StringVar(&s.ClientMetadataURL, "client-metadata-url", "", "https address of a client id metadata document, for servers that take it as the client id")
	f.StringVar(&s.Scope, "scope", "", "scopes to ask for, separated by blanks (default: what the server says)")
	f.IntVar(&s.CallbackPort, "callback-port", 0, "port of the redirect on this computer, for servers that want a fixed one")
	f.StringVar(&s.Resource, "resource", "", "resource indicator to send, or none (default: what the endpoint says)")
	f.StringVar(&s.AuthServerMetadataURL, "auth-server-metadata-url", "", "where the authorization server metadata is (default: found from the endpoint)")
	f.StringVar(&s.CAFile, "ca-file", "", "PEM file with certificate authorities to trust besides the system's")
	f.StringVar(&s.Proxy, "proxy", "", "http proxy, as http://HOST:PORT (default: HTTPS_PROXY)")
	addBrakeFlags(f, &s.brakes)
	f.BoolVar(&s.NoJournal, "no-journal", false, "send calls that may change something without noting them in the journal first")
	f.StringVar(&s.Store, "store", "", "where the login is kept: keychain, or file without a keychain (default keychain)")
}

// resolve fills cmd's options from the environment and the profile, and checks
// what can be checked without looking outside.
func (o *options) resolve(cmd *cobra.Command, getenv func(string) string) error {
	if err := o.fromEnvironment(cmd.Flags(), getenv); err != nil {
		return err
	}
	if !isProfileName(o.profile) {
		return usagef("give --profile a name of letters, digits, - and _", "the profile name %q is not allowed", o.profile)
	}
	if err := o.level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return usagef("give --log-level=debug, info, warn or error", "the log level %q is not known", o.logLevel)
	}
	if o.stateDir == "" {
		dir, err := defaultStateDir()
		if err != nil {
			return err
		}
		o.stateDir = dir
	}
	saved, err := loadSettings(o.stateDir, o.profile)
	if err != nil {
		return err
	}
	o.saved = saved
	if err := o.takeSecret(cmd.Flags(), getenv); err != nil {
		return err
	}
	o.login = o.login.over(saved, cmd.Flags().Changed)
	if o.login, err = o.login.absolute(); err != nil {
		return err
	}
	return o.login.check()
}

// absolute makes the paths independent of the folder that a host starts the
// bridge in, which may be a stranger's repository.
func (s settings) absolute() (settings, error) {
	for _, path := range []*string{&s.CAFile, &s.ClientSecretFile} {
		if *path == "" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return s, fmt.Errorf("finding the current folder: %w", err)
		}
		*path = abs
	}
	return s, nil
}

// fromEnvironment sets each flag that was not given from PAYU_MCP_<NAME>.
func (o *options) fromEnvironment(flags *pflag.FlagSet, getenv func(string) string) error {
	var bad error
	o.origin = map[string]string{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			o.origin[f.Name] = sourceFlag
			return
		}
		name := variable(f.Name)
		if v := getenv(name); v != "" && f.Name != "help" {
			o.origin[f.Name] = name
			if err := flags.Set(f.Name, v); err != nil {
				bad = usagef("correct or unset "+name, "the environment variable %s cannot be used", name)
			}
		}
	})
	return bad
}

func variable(flag string) string {
	return "PAYU_MCP_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// over returns s with what was not given filled from saved; an option that was
// given empty is forgotten.
func (s settings) over(saved settings, given func(flag string) bool) settings {
	saved = s.stillGood(saved, given)
	keep(given("url"), &s.URL, saved.URL)
	keep(given("client-id"), &s.ClientID, saved.ClientID)
	keep(given("client-secret-file"), &s.ClientSecretFile, saved.ClientSecretFile)
	keep(given("client-metadata-url"), &s.ClientMetadataURL, saved.ClientMetadataURL)
	keep(given("scope"), &s.Scope, saved.Scope)
	keep(given("callback-port"), &s.CallbackPort, saved.CallbackPort)
	keep(given("resource"), &s.Resource, saved.Resource)
	keep(given("auth-server-metadata-url"), &s.AuthServerMetadataURL, saved.AuthServerMetadataURL)
	keep(given("ca-file"), &s.CAFile, saved.CAFile)
	keep(given("proxy"), &s.Proxy, saved.Proxy)
	keep(given("store"), &s.Store, saved.Store)
	keep(given("no-journal"), &s.NoJournal, saved.NoJournal)
	s.brakes = s.brakes.over(saved.brakes, given)
	return s
}

func keep[T any](given bool, v *T, saved T) {
	if !given {
		*v = saved
	}
}

func fill[T comparable](v *T, from T) {
	var zero T
	if *v == zero {
		*v = from
	}
}

func (s settings) check() error {
	switch {
	case s.Store != "" && s.Store != storeKeychain && s.Store != storeFile:
		return usagef("give --store=keychain or --store=file", "the store %q is not known", s.Store)
	case s.CallbackPort < 0 || s.CallbackPort > 65535:
		return usagef("give --callback-port a number from 1 to 65535", "%d is not a port", s.CallbackPort)
	}
	return errors.Join(s.checkClient(), s.checkAddresses())
}

func isProfileName(s string) bool { return printable.Plain(s, "_-", 64) }

func usagef(advice, format string, args ...any) error {
	return usageError{hint.With(fmt.Errorf(format, args...), advice)}
}

// defaultStateDir is fixed per system and never taken from a variable that
// hosts strip (OAUTH D1).
func defaultStateDir() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", hint.With(errors.New("the home folder is not known"), "give --state-dir, or set HOME")
	}
	switch runtime.GOOS {
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "payu-mcp"), nil
	case "windows":
		return filepath.Join(home, ".payu-mcp"), nil
	default:
		return filepath.Join(home, ".local", "state", "payu-mcp"), nil
	}
}

func displayStateDir() string {
	switch runtime.GOOS {
	case "darwin":
		return "~/Library/Application Support/payu-mcp"
	case "windows":
		return `%USERPROFILE%\.payu-mcp`
	default:
		return "~/.local/state/payu-mcp"
	}
}

func portText(p int) string {
	if p == 0 {
		return ""
	}
	return strconv.Itoa(p)
}
