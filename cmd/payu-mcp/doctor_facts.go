package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// What nobody outside PayU knows for certain (PAYU section 4, U1 to U13), as far
// as it shows without a login.

const (
	needsSignIn = "not shown without a sign-in"
	notSeen     = "not seen"
)

func (o *outside) facts() []diagnose.Fact {
	return []diagnose.Fact{
		{ID: "U1", About: "issuer", Text: o.fromServer(func(s *auth.ServerOffer) string { return s.Issuer })},
		{ID: "U2", About: "how a client id is had", Text: o.fromServer(registrationFact)},
		{ID: "U3", About: "client without a secret", Text: o.fromServer(secretFact)},
		{ID: "U4", About: "redirect to this computer", Text: "not shown without registering; asked for is http://127.0.0.1:PORT/callback"},
		{ID: "U5", About: "scopes", Text: o.fromServer(func(s *auth.ServerOffer) string { return list("scopes_supported", s.Scopes) })},
		{ID: "U6", About: "refresh", Text: o.fromServer(refreshFact)},
		{ID: "U7", About: "answer without a token", Text: o.challenge()},
		{ID: "U8", About: "form of answers; GET", Text: o.forms()},
		{ID: "U9", About: "protocol versions", Text: needsSignIn},
		{ID: "U10", About: "whose the merchant selection is", Text: needsSignIn},
		{ID: "U11", About: "other endpoints, for tests", Text: "none is named anywhere; this report is about " + o.endpoint},
		{ID: "U12", About: "tools/list without a token", Text: o.answered(o.post.Status)},
		{ID: "U13", About: "PKCE methods", Text: o.fromServer(func(s *auth.ServerOffer) string { return list("code_challenge_methods_supported", s.PKCE) })},
	}
}

// fromServer reads the authorization server's document, if there is one.
func (o *outside) fromServer(read func(*auth.ServerOffer) string) string {
	switch {
	case o.documents == nil:
		return notSeen
	case o.documents.Server == nil:
		return "there is no metadata"
	}
	return read(o.documents.Server)
}

func registrationFact(s *auth.ServerOffer) string {
	dynamic, document := "no registration_endpoint", "no client id metadata documents"
	if s.RegistrationEndpoint != "" {
		dynamic = "registration_endpoint " + s.RegistrationEndpoint
	}
	if s.ClientDocuments {
		document = "client id metadata documents are taken"
	}
	return dynamic + "; " + document
}

func secretFact(s *auth.ServerOffer) string {
	text := list("token_endpoint_auth_methods_supported", s.AuthMethods)
	if s.AuthMethods != nil && !slices.Contains(s.AuthMethods, "none") {
		text += ": a secret seems to be wanted"
	}
	return text
}

func refreshFact(s *auth.ServerOffer) string {
	return list("grant_types_supported", s.Grants) + "; rotation is " + needsSignIn
}

// list is a member of a document, which may be missing.
func list(name string, values []string) string {
	const most = 40
	if values == nil {
		return "no " + name
	}
	return name + ": [" + strings.Join(values[:min(most, len(values))], ", ") + "]"
}

// challenge is the header that a sign-in starts from.
func (o *outside) challenge() string {
	if !o.post.Answered() {
		return notSeen
	}
	values := o.post.Header.Values("WWW-Authenticate")
	header := "no WWW-Authenticate"
	if len(values) > 0 {
		header = "WWW-Authenticate: " + strings.Join(values, ", ")
	}
	return fmt.Sprintf("HTTP %d, %s", o.post.Status, header)
}

func (o *outside) forms() string {
	if !o.post.Answered() {
		return notSeen
	}
	kind := mediaType(o.post.Header)
	fill(&kind, "no type")
	return "POST: " + kind + "; GET: " + o.answered(o.get.Status)
}

func (o *outside) answered(status int) string {
	if status == 0 {
		return notSeen
	}
	return fmt.Sprintf("HTTP %d", status)
}
