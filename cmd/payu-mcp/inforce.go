package main

import (
	"cmp"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// Where the value of an option comes from.
const (
	sourceFlag        = "flag"
	sourceEnvironment = "environment"
	sourceProfile     = "profile" // what login remembered
	sourceDefault     = "default"
)

// statusOption is one option as it counts now. No secret stands in it.
type statusOption struct {
	Name   string `json:"name"`  // of the flag without its dashes, or of a variable that has none
	Value  string `json:"value"` // "": nothing is set
	Source string `json:"source"`
	// Variable is the environment variable that gave it.
	Variable string `json:"variable,omitempty"`
}

// inForce lists the options with what they are worth. sealed: a client secret
// lies sealed with the login.
func (o *options) inForce(getenv func(string) string, sealed bool) []statusOption {
	s, given := o.login, o.given
	all := []statusOption{
		given("profile", o.profile), given("state-dir", o.stateDir), given("log-level", o.logLevel), given("log-file", o.logFile),
		o.option("url", s.URL, auth.PayUEndpoint),
		o.option("client-id", s.ClientID, ""),
		o.option("client-secret-file", s.ClientSecretFile, ""),
		o.secretOption(sealed),
		o.option("client-metadata-url", s.ClientMetadataURL, ""),
		o.option("scope", s.Scope, ""),
		o.option("callback-port", portText(s.CallbackPort), ""),
		o.option("resource", s.Resource, ""),
		o.option("auth-server-metadata-url", s.AuthServerMetadataURL, ""),
		o.option("ca-file", s.CAFile, ""),
		o.proxyOption(getenv),
		o.option("store", s.Store, storeKeychain),
	}
	return append(all, trustOptions(getenv)...)
}

// given is an option that no profile remembers, whose default is its value.
func (o *options) given(name, value string) statusOption {
	if o.origin[name] == "" {
		return statusOption{Name: name, Value: value, Source: sourceDefault}
	}
	return o.option(name, value, "")
}

// option is an option that login remembers.
func (o *options) option(name, value, byDefault string) statusOption {
	source, origin := sourceProfile, o.origin[name]
	switch {
	case value == "":
		source, origin = sourceDefault, ""
	case origin == sourceFlag:
		source, origin = sourceFlag, ""
	case origin != "":
		source = sourceEnvironment
	}
	return statusOption{name, cmp.Or(value, byDefault), source, origin}
}

// secretOption says only that there is a secret, and where.
func (o *options) secretOption(sealed bool) statusOption {
	const name = "client-secret"
	switch {
	case o.login.secret != "":
		return statusOption{name, "given", sourceEnvironment, sealedVariable}
	case o.login.ClientSecretFile != "":
		return statusOption{Name: name, Value: "in the file of client-secret-file", Source: o.option("client-secret-file", "file", "").Source}
	case sealed && !o.login.noSecret:
		return statusOption{Name: name, Value: "sealed with the login", Source: sourceProfile}
	}
	return statusOption{Name: name, Source: sourceDefault}
}

// proxyOption is --proxy, or the proxy of the system's variables that requests to
// the endpoint take; without its password.
func (o *options) proxyOption(getenv func(string) string) statusOption {
	if o.login.Proxy != "" {
		return o.option("proxy", withoutPassword(o.login.Proxy), "")
	}
	proxy, name := o.systemProxy(getenv)
	if proxy == nil {
		return o.option("proxy", "", "")
	}
	return statusOption{"proxy", proxy.Redacted(), sourceEnvironment, name}
}

// systemProxy returns what the system's variables give for the endpoint, and the
// variable that is set; a proxy that excepts the endpoint, or is no URL, is none.
func (o *options) systemProxy(getenv func(string) string) (proxy *url.URL, variable string) {
	endpoint := cmp.Or(o.login.URL, auth.PayUEndpoint)
	proxy, err := nettransport.ProxyFor(nettransport.Options{}, endpoint)
	if err != nil {
		proxy = nil
	}
	return proxy, proxyVariable(endpoint, getenv)
}

// proxyNote tells of a variable that names a proxy which is not used.
func (o *options) proxyNote(getenv func(string) string) string {
	proxy, name := o.systemProxy(getenv)
	if name == "" || proxy != nil || o.login.Proxy != "" || auth.IsLoopback(o.login.URL) {
		return ""
	}
	return name + " is set, but not used for this endpoint: NO_PROXY excepts it, or it is not a URL"
}

func withoutPassword(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "not a URL"
	}
	return u.Redacted()
}

// proxyIn returns the proxy among options.
func proxyIn(all []statusOption) string {
	for _, o := range all {
		if o.Name == "proxy" {
			return o.Value
		}
	}
	return ""
}

// proxyVariable is the one that net/http takes the proxy from.
func proxyVariable(endpoint string, getenv func(string) string) string {
	names := []string{"HTTPS_PROXY", "https_proxy"}
	if !strings.HasPrefix(endpoint, "https:") {
		names = []string{"HTTP_PROXY", "http_proxy"}
	}
	for _, name := range names {
		if getenv(name) != "" {
			return name
		}
	}
	return ""
}

// trustOptions are the variables that replace the system's certificate
// authorities where Go heeds them (OAUTH X17); not on macOS and Windows.
func trustOptions(getenv func(string) string) []statusOption {
	var all []statusOption
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		value := getenv(name)
		if value == "" || runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
			continue
		}
		all = append(all, statusOption{name, value, sourceEnvironment, name})
	}
	return all
}

// text is an option as people read it, "" for a default.
func (s statusOption) text() string {
	if s.Source == sourceDefault {
		return ""
	}
	value := s.Value
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r == ' ' || !strconv.IsPrint(r) }) {
		value = strconv.Quote(value)
	}
	from := s.Source
	if s.Variable != "" && s.Variable != s.Name {
		from += " " + s.Variable
	}
	return fmt.Sprintf("%s %s (%s)", s.Name, value, from)
}
