package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// ErrSignInNeeded: no token can be had without a person. Its wrapping says why.
var ErrSignInNeeded = errors.New("nobody is signed in")

// SignInLimit is how long a sign-in may stay open: time enough for an OTP and a
// second factor (PAYU N2).
const SignInLimit = 10 * time.Minute

// Config is what a Client needs to know. Resource, HTTP and Store are required.
type Config struct {
	// Resource is the MCP endpoint, exactly as the user gave it.
	Resource string
	// ClientID and ClientSecret name a pre-registered client; empty: register.
	// Without a secret the one is used that lies sealed with an earlier sign-in of
	// the same client at the same issuer, unless NoSecret says that there is none.
	ClientID     string
	ClientSecret redact.Secret
	NoSecret     bool
	// ClientMetadataURL is the https address of a client id metadata document that
	// somebody hosts for this program: a client id where the server takes such ones.
	ClientMetadataURL string
	// ResourceIndicator replaces the `resource` parameter (RFC 8707) that discovery
	// gives; "none" sends none.
	ResourceIndicator string
	// ServerMetadataURL is where the authorization server metadata is; empty: found
	// by discovery.
	ServerMetadataURL string
	// Scopes to ask for; empty: what the server's challenge or metadata says.
	Scopes []string
	// CallbackPort is the port of the redirect URI; 0: any free one.
	CallbackPort int
	// HTTP talks to the authorization server. Redirects are refused whatever it says.
	HTTP *http.Client
	// Store keeps the credential.
	Store Store
	// Now is the wall clock; nil: time.Now.
	Now func() time.Time
	// Log gets warnings and debug lines, never a secret; nil: none.
	Log *slog.Logger
	// SignedIn is called after a sign-in was stored by this process, before SignIn
	// returns; sameAccount is false also when the server does not tell who it is.
	// nil: nobody is told.
	SignedIn func(sameAccount bool)
	// Peer tells whose a connection to the callback port is; nil: what the system
	// says.
	Peer func(client, server netip.AddrPort) loopback.Peer
	// SignInLimit overrides the limit of the same name when positive.
	SignInLimit time.Duration
}

// Client is the OAuth client for one protected resource. It is safe for
// concurrent use; refresh and sign-in run once however many ask for them.
type Client struct {
	cfg    Config
	http   *http.Client
	log    *slog.Logger
	jitter float64                       // 0..0.1: bridges do not all refresh at the same moment (OAUTH L1)
	seen   func(place string, a *answer) // gets each document, for Inspect; a is nil without an answer

	refreshing single
	signingIn  single
	audience   audience
	lingering  lingering

	mu        sync.Mutex
	challenge *challenge    // of the newest 401
	dead      redact.Secret // an access token that the resource refused and that could not be replaced yet
	backoff   backoff       // after a refresh that failed for now
	stepped   []stepUp      // of the last minutes
	refused   redact.Secret // the token for which Rejected last said that a person must sign in
	stuck     stuck         // the newest one
}

// New returns a client for cfg.Resource. It fails when that is no endpoint
// (CheckEndpoint), or another address in cfg is not fit for its purpose. Nothing
// is sent and nothing is read yet.
func New(cfg Config) (*Client, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.SignInLimit <= 0 {
		cfg.SignInLimit = SignInLimit
	}
	hc := *cfg.HTTP
	hc.CheckRedirect = nettransport.RefuseRedirects
	return &Client{
		cfg: cfg, http: &hc, log: cfg.Log,
		jitter: float64(cfg.Now().Nanosecond()) / 1e10,
	}, nil
}

// now is the wall clock without its monotonic part, which stands still while
// the computer sleeps (OAUTH L1).
func (c *Client) now() time.Time { return c.cfg.Now().Round(0) }

// Token returns the access token for the resource, refreshed if it is about to
// expire; "" when nobody is signed in. It never waits for a person. An error is
// the store's or, with an expired token, the authorization server's.
func (c *Client) Token(ctx context.Context) (redact.Secret, error) {
	cred, err := c.load(ctx)
	if err != nil {
		return "", err
	}
	dead := c.isDead(cred)
	if !cred.SignedIn() || cred.RefreshToken == "" || (!dead && !c.due(cred)) {
		return tokenOf(cred), nil
	}
	stale := cred.AccessToken
	refreshErr := c.refresh(ctx, stale, challenge{})
	if cred, err = c.load(ctx); err != nil {
		return "", err
	}
	if refreshErr != nil && cred.SignedIn() && cred.AccessToken == stale && (dead || c.expired(cred)) {
		return "", refreshErr
	}
	return tokenOf(cred), nil
}

func (c *Client) isDead(cred *Credential) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cred.SignedIn() && cred.AccessToken == c.dead
}

// Rejected learns that the resource answered 401 to token ("": none was sent),
// or 403 for want of scope, with the values of its WWW-Authenticate header. nil means that Token is worth
// asking again: it has another token now, or an error that passes. An error
// means that a person must sign in, and says why (ErrSignInNeeded).
func (c *Client) Rejected(ctx context.Context, token redact.Secret, challenges []string) error {
	err := c.rejected(ctx, token, parseChallenge(challenges))
	if err != nil && token != "" {
		c.mu.Lock()
		c.refused = token
		c.mu.Unlock()
	}
	return err
}

func (c *Client) rejected(ctx context.Context, token redact.Secret, ch challenge) error {
	c.mu.Lock()
	c.challenge = &ch
	c.mu.Unlock()

	// What goes wrong here, Token says too, with the refresh's back-off: so the
	// caller is sent there.
	cred, err := c.load(ctx)
	if err == nil && ch.stepUp && cred.SignedIn() && cred.AccessToken == token {
		return c.wantsScope(ch)
	}
	if err == nil && cred.SignedIn() && cred.AccessToken == token && cred.RefreshToken != "" {
		// A 401 beats any clock: the token is dead whatever its expiry says.
		c.mu.Lock()
		c.dead = token
		c.mu.Unlock()
		if err = c.refresh(ctx, token, ch); err == nil {
			cred, err = c.load(ctx)
		}
	}
	if err == nil && (!cred.SignedIn() || cred.AccessToken == token) {
		return signInNeeded(cred, token)
	}
	return nil
}

func signInNeeded(cred *Credential, token redact.Secret) error {
	if cred != nil && cred.LastRefresh.Result == endedByServer {
		return fmt.Errorf("%w: the server ended the login", ErrSignInNeeded)
	}
	if cred != nil && cred.LastRefresh.Result == movedAway {
		return fmt.Errorf("%w: %s", ErrSignInNeeded, movedAway)
	}
	if token != "" {
		return fmt.Errorf("%w: the server refused the access token", ErrSignInNeeded)
	}
	return ErrSignInNeeded
}

// load returns the stored credential if it is one of this configuration: a
// client id that the user changed makes another client.
func (c *Client) load(ctx context.Context) (*Credential, error) {
	cred, err := c.cfg.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the credential: %w", err)
	}
	return c.own(cred), nil
}

func (c *Client) own(cred *Credential) *Credential {
	if cred != nil && !c.isOwn(cred.Registration) {
		return nil // as Store.Load: nil is "none"
	}
	return cred
}

func tokenOf(cred *Credential) redact.Secret {
	if cred == nil {
		return ""
	}
	return cred.AccessToken
}

// Close waits for a refresh that is under way, or a sign-in that has its code
// already, so that the result is stored (RELAY S7), at most until ctx ends.
func (c *Client) Close(ctx context.Context) {
	c.refreshing.wait(ctx)
	c.signingIn.wait(ctx)
	c.lingering.replace(nil)
}
