package main

import "slices"

// row is one line of the requirements, in a few words.
type row struct{ row, text string }

// requirement returns the text of a row, and whether there is such a row.
func requirement(name string) (string, bool) {
	i := place(name)
	if i == len(requirements) {
		return "", false
	}
	return requirements[i].text, true
}

// place is the row's place in the table; its length if there is no such row.
func place(name string) int {
	i := slices.IndexFunc(requirements, func(r row) bool { return r.row == name })
	if i < 0 {
		return len(requirements)
	}
	return i
}

// requirements: A what the specifications ask, X attacks.
var requirements = []row{
	{"A1", "discovery starts from a 401 and protected resource metadata, never on a guess"},
	{"A2", "every challenge of every `WWW-Authenticate` line is read; a broken one counts as none"},
	{"A3", "well-known metadata of the resource: with its path first, then at the root"},
	{"A4", "RFC 8414 and OpenID discovery"},
	{"A5", "the forms for an issuer with a path, in order; a 5xx on one does not end the search"},
	{"A6", "`issuer` in the metadata is the issuer that was asked, to the byte"},
	{"A7", "`resource` in the metadata is the endpoint or a parent of it; else no sign-in"},
	{"A8", "one of several authorization servers is chosen; registrations and tokens are kept apart by issuer"},
	{"A9", "registered client, then metadata document, then dynamic registration"},
	{"A10", "client id metadata document: an https URL with a path, the right document behind it"},
	{"A11", "client id and secret given by the person; the secret never in an argument"},
	{"A12", "dynamic registration is the last resort, and remembered with its port"},
	{"A13", "registration says `application_type` native"},
	{"A14", "a refused redirect URI gives a message that helps"},
	{"A15", "registration and tokens belong to an issuer; a server that moved gets neither"},
	{"A16", "servers of 2025-03-26: metadata at the origin, default endpoints last"},
	{"A17", "PKCE with S256, always"},
	{"A18", "no sign-in where the metadata does not promise S256"},
	{"A19", "`resource` in authorization, token and refresh requests, exactly as the metadata spells it"},
	{"A20", "scope: the challenge's, else all of the resource's, else none"},
	{"A21", "the challenged scopes are taken as they are"},
	{"A22", "403 `insufficient_scope` leads to a step-up, and the request is repeated"},
	{"A23", "a step-up asks for what was granted and what is asked now"},
	{"A24", "step-ups are few, then the failure is final"},
	{"A25", "`state` is random, compared in constant time, and good for one answer"},
	{"A26", "issuer, state and verifier are fixed before the browser opens"},
	{"A27", "`iss` of the answer: required if advertised, compared if present, before the code goes anywhere"},
	{"A28", "`iss` is compared as a string, nothing normalised"},
	{"A29", "an error answer with a wrong `iss` is neither shown nor acted on"},
	{"A30", "the redirect URI is a loopback address that was registered"},
	{"A31", "every endpoint of the authorization server is https, loopback excepted for a loopback resource"},
	{"A32", "only http(s) URLs are opened, without a shell"},
	{"A33", "metadata cannot lead requests into private networks"},
	{"A34", "the token endpoint authentication that was registered or advertised: none, post or basic"},
	{"A35", "the bearer is on every HTTP request, and never in an address"},
	{"A36", "only tokens of this resource's authorization server are sent"},
	{"A37", "tokens are stored sealed"},
	{"A38", "refresh tokens are confidential in transit and at rest"},
	{"A39", "the registration asks for the refresh_token grant"},
	{"A40", "`offline_access` only where the server lists it"},
	{"A41", "no refresh token is assumed; after rotation the newest is kept, else the old one"},
	{"A42", "no authorization on the stdio side"},
	{"A43", "no token of the host is passed through"},
	{"X1", "evil authorization endpoint: other schemes, options, UNC paths, userinfo"},
	{"X2", "shell injection while the browser is opened"},
	{"X3", "SSRF by metadata addresses or redirects"},
	{"X4", "an endpoint downgraded to http"},
	{"X5", "authorization server mix-up"},
	{"X6", "metadata of another issuer"},
	{"X7", "metadata of another resource"},
	{"X8", "PKCE downgrade"},
	{"X9", "login CSRF by somebody who reads the opener's arguments"},
	{"X10", "forged and stray callbacks, DNS rebinding"},
	{"X11", "port squatting, ambiguous localhost"},
	{"X12", "script in the result page"},
	{"X13", "slow and huge requests to the callback listener"},
	{"X14", "slow, huge and compressed answers of the authorization server"},
	{"X15", "redirects that would carry secrets"},
	{"X16", "a token sent to another origin"},
	{"X17", "a stranger's project configuration"},
	{"X18", "tokens in logs, errors, arguments, environment or files"},
	{"X19", "terminal escapes in a server's texts"},
	{"X20", "stdout polluted by children or libraries"},
	{"X21", "framing injection by events and newlines"},
	{"X22", "JSON tricks: depth, duplicates, case, NUL"},
	{"X23", "header injection by session id, version and parameters"},
	{"X24", "a server that abuses the host: undeclared requests, unknown ids, floods"},
	{"X25", "symlinks, readable files, shared temporary folders"},
	{"X26", "core dumps and tracing"},
	{"X27", "replayed codes and late callbacks"},
	{"X28", "scope creep on step-up"},
	{"X29", "changed host configurations"},
	{"X30", "supply chain"},
}
