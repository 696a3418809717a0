package main

import (
	"fmt"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// doctorRow is a kind of line that doctor prints.
type doctorRow struct {
	id    string
	sides []diagnose.Side // a fault's
	what  string
}

// doctorTable has all of them, in the order of a report. docs/doctor.md repeats it.
func doctorTable() []doctorRow {
	here, network, payu, host := diagnose.Here, diagnose.Network, diagnose.PayU, diagnose.Host
	return []doctorRow{
		{"settings", []diagnose.Side{here}, "the options, their files and the state folder can be used"},
		{"proxy", []diagnose.Side{network}, "which proxy requests take, who named it, and whether it lets them through"},
		{"names", []diagnose.Side{network}, "the name of the endpoint, or of the proxy, leads somewhere"},
		{"connection", []diagnose.Side{network}, "a connection can be made, and an answer comes in time"},
		{"tls", []diagnose.Side{network}, "the certificate is good, and who vouches for it: an authority that only --ca-file makes trusted inspects TLS"},
		{"clock", []diagnose.Side{here}, "this computer's clock against the server's Date, or the certificate's time"},
		{"endpoint", []diagnose.Side{payu, network}, "what it answers to somebody without a token"},
		{"resource-metadata", []diagnose.Side{payu, network}, "the document of RFC 9728, if there is one, and what it lacks"},
		{"server-metadata", []diagnose.Side{payu, network}, "the document of RFC 8414 or OpenID, its issuer, and what it lacks"},
		{"sign-in-endpoints", []diagnose.Side{payu}, "the addresses in it are safe, for PayU's endpoint PayU's own"},
		{"pkce", []diagnose.Side{payu}, "S256 is offered"},
		{"registration", []diagnose.Side{payu}, "how this program gets a client id"},
		{"sign-in-host", []diagnose.Side{network}, "the host of the sign-in can be reached, where it is another one"},
		{"keychain", []diagnose.Side{here}, "an item can be stored, read back and removed, and how long that takes"},
		{"callback", []diagnose.Side{here}, "a port for the answer of a sign-in can be had"},
		{"browser", []diagnose.Side{here}, "there is a desktop and a program that opens pages (a warning: there are other ways)"},
		{"state", []diagnose.Side{here}, "nobody else can read the state folder, and it can be written"},
		{"saved", []diagnose.Side{here}, "only if a login could not be saved"},
		{"login", []diagnose.Side{here, payu}, "whether somebody is signed in, since when, until when, with which scopes; revoked or ended"},
		{"refresh", []diagnose.Side{payu}, "how the last renewal ended"},
		{"remote", []diagnose.Side{payu, network, here}, "the answer to initialize with that login, and how long it took; only if somebody is signed in"},
		{"catalogue", []diagnose.Side{here}, "how old the saved answers are"},
		{"host", []diagnose.Side{host}, "each host's entry: host:ID"},
		{"bridges", []diagnose.Side{here}, "which bridges are running"},
		{"journal", []diagnose.Side{here}, "the journal can be read; a call of unknown outcome that nobody has looked up is a warning"},
		{"log", []diagnose.Side{here}, "where the log is, and its last lines"},
	}
}

// doctorChecks is the table for the help.
func doctorChecks() string {
	var b strings.Builder
	b.WriteString("\n\nIt looks at:\n")
	for _, r := range doctorTable() {
		fmt.Fprintf(&b, "  %-18s %s\n", r.id, r.what)
	}
	return strings.TrimRight(b.String(), "\n")
}
