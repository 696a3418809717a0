package auth

import (
	"context"
	"encoding/json"
	"slices"
)

// Stage is a part of the way to a sign-in.
type Stage string

// The stages, in the order in which discovery takes them.
const (
	StageResource     Stage = "resource metadata"   // RFC 9728
	StageServer       Stage = "server metadata"     // RFC 8414, OpenID: the document, its issuer
	StageEndpoints    Stage = "endpoints"           // what the document names
	StagePKCE         Stage = "PKCE"                // RFC 7636
	StageRegistration Stage = "client registration" // RFC 7591
)

// Document is one metadata document that was asked for. Nothing in it is fit to be
// printed as it is: it is the server's.
type Document struct {
	// URL is where it was looked for.
	URL string
	// Resource: protected resource metadata; else an authorization server's.
	Resource bool
	// Status is the HTTP status; 0: no answer came.
	Status int
	// JSON: the answer is a JSON object that says it is one.
	JSON bool
	// Lacks names the members that this program would make use of and that are not
	// there, sorted as in the specification.
	Lacks []string
}

// Found tells whether the document is there.
func (d Document) Found() bool { return d.Status == 200 && d.JSON }

// ClientWay is how this program would get a client id.
type ClientWay string

// The ways.
const (
	ClientNamed      ClientWay = "client id"  // the user gave one
	ClientDocument   ClientWay = "document"   // a client id metadata document
	ClientRegistered ClientWay = "registered" // by dynamic registration
	ClientNone       ClientWay = ""           // there is none
)

// Inspection is what the public documents of a resource say about a sign-in there.
type Inspection struct {
	Documents []Document
	// Server is what the authorization server's document says, nil: there is none.
	// It may be one that does not do.
	Server *ServerOffer
	// Client is how a client id could be had.
	Client ClientWay
	// Unlisted: PayU's document has no PKCE list, and S256 is used all the same.
	Unlisted bool
	// Bare: there is no document at all, and the endpoints are the default ones of
	// MCP 2025-03-26.
	Bare bool
	// Faults is what keeps a person from signing in, with a hint each; empty: nothing
	// that shows without a sign-in. Discovery ends at its first one, so there is at
	// most one beside that of the registration.
	Faults map[Stage]error
}

// ServerOffer is an authorization server's document in its own words: not fit to
// be printed as it is.
type ServerOffer struct {
	Issuer, AuthorizationEndpoint, TokenEndpoint, RegistrationEndpoint string

	ClientDocuments bool     // client_id_metadata_document_supported
	Iss             bool     // authorization_response_iss_parameter_supported
	PKCE            []string // code_challenge_methods_supported; nil: not there
	Scopes          []string // scopes_supported; nil: not there
	Grants          []string // grant_types_supported; nil: not there
	AuthMethods     []string // token_endpoint_auth_methods_supported; nil: not there
}

// Inspect looks at the documents that a sign-in would start from, by the same code
// and under the same rules (the pin on PayU, the limits of Reach), and asks for
// nothing else: nobody is registered, no browser is opened, no token is sent.
// challenges are the values of WWW-Authenticate of the resource's 401.
func (c *Client) Inspect(ctx context.Context, challenges []string) *Inspection {
	in := &Inspection{Faults: map[Stage]error{}}
	ch := parseChallenge(challenges)
	looker := &Client{cfg: c.cfg, http: c.http, log: c.log}
	var meta *serverDocument
	places := c.resourceMetaPlaces(ch)
	looker.seen = func(place string, a *answer) {
		d := newDocument(place, slices.Contains(places, place), a)
		if m := (&serverDocument{}); !d.Resource && d.Found() && a.decode(m) == nil {
			meta = m
		}
		in.Documents = append(in.Documents, d)
	}
	d, err := looker.discover(ctx, ch)
	in.judge(looker, meta, err)
	if d != nil {
		in.Bare, in.Unlisted = d.noMetadata != nil, d.server.PKCEUnlisted && d.noMetadata == nil
		in.client(looker, d.server)
	}
	return in
}

// judge says to which stage the fault belongs that discovery ended with.
func (in *Inspection) judge(c *Client, m *serverDocument, err error) {
	if m != nil {
		in.Server = &ServerOffer{
			Issuer: m.Issuer, AuthorizationEndpoint: m.AuthorizationEndpoint, TokenEndpoint: m.TokenEndpoint,
			RegistrationEndpoint: m.RegistrationEndpoint, ClientDocuments: m.ClientIDMetadataDocumentSupported,
			Iss: m.AuthorizationResponseIssParameterSupported, PKCE: m.CodeChallengeMethodsSupported,
			Scopes: m.ScopesSupported, Grants: m.GrantTypesSupported, AuthMethods: m.TokenEndpointAuthMethodsSupported,
		}
	}
	if err == nil {
		return
	}
	stage := StageResource
	if slices.ContainsFunc(in.Documents, func(d Document) bool { return !d.Resource }) {
		stage = StageServer
	}
	if m != nil {
		stage = c.stageOf(m)
	}
	in.Faults[stage] = err
}

// stageOf finds which rule a document breaks.
func (c *Client) stageOf(m *serverDocument) Stage {
	_, pkceErr := c.checkPKCE(m)
	offer := Server{
		AuthorizationEndpoint: m.AuthorizationEndpoint, TokenEndpoint: m.TokenEndpoint,
		RegistrationEndpoint: m.RegistrationEndpoint, RevocationEndpoint: m.RevocationEndpoint, DeviceEndpoint: m.deviceEndpoint(),
	}
	switch {
	case c.checkEndpoints(offer) != nil:
		return StageEndpoints
	case pkceErr != nil:
		return StagePKCE
	default:
		return StageServer // its issuer, or its place
	}
}

// client says how a client id could be had at s.
func (in *Inspection) client(c *Client, s Server) {
	switch {
	case c.cfg.ClientID != "":
		in.Client = ClientNamed
	case c.usesDocument(s):
		in.Client = ClientDocument
	case s.RegistrationEndpoint != "":
		in.Client = ClientRegistered
	default:
		in.Faults[StageRegistration] = c.noRegistration(s)
	}
}

// newDocument is what an answer shows; nil: none came.
func newDocument(place string, resource bool, a *answer) Document {
	d := Document{URL: place, Resource: resource}
	if a == nil {
		return d
	}
	var members map[string]json.RawMessage
	d.Status, d.JSON = a.status, a.decode(&members) == nil
	if !d.Found() {
		return d
	}
	for _, name := range wantedMembers(resource) {
		if _, there := members[name]; !there {
			d.Lacks = append(d.Lacks, name)
		}
	}
	return d
}

// wantedMembers are those that this program would make use of (RFC 9728 section 2,
// RFC 8414 section 2, RFC 9207 section 3).
func wantedMembers(resource bool) []string {
	if resource {
		return []string{"resource", "authorization_servers", "scopes_supported"}
	}
	return []string{
		"issuer", "authorization_endpoint", "token_endpoint", "registration_endpoint", "scopes_supported",
		"grant_types_supported", "token_endpoint_auth_methods_supported", "revocation_endpoint",
		"code_challenge_methods_supported", "authorization_response_iss_parameter_supported",
	}
}

// CheckCallback tells whether the port of the redirect can be bound now.
func (c *Client) CheckCallback(ctx context.Context) error {
	ln, err := c.listen(ctx, nil)
	if err != nil {
		return err
	}
	return ln.Close()
}

// Contact says whom to write to when the server's side of resource lacks something.
func Contact(resource string) string { return payuContact(resource) }
