package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/keychain"
	"github.com/payu-mcp/payu-mcp/remote"
)

// parts are the rooms of the program, wired for one profile and endpoint.
type parts struct {
	endpoint string
	log      *slog.Logger
	store    *keychain.Store
	auth     *auth.Client
	data     *nettransport.Transport // for the endpoint
	guarded  *nettransport.Transport // for what a server names
	era      eraMemory
	opener   auth.Opener

	catalogue *catalogue.Shelf
	changed   changedTools
}

// storeUse is how a command uses the sealed store.
type storeUse struct {
	keyring *keychain.Keyring
	memory  bool          // without a keychain the login is kept in memory
	limit   time.Duration // of a sign-in; 0: the default
}

// lockWait: a person is told soon that another process holds the login; a bridge
// has a limit of its own for its refresh.
func (u storeUse) lockWait() time.Duration {
	if u.memory {
		return 0
	}
	return 10 * time.Second
}

// wire builds the parts. Nothing is sent and no keychain is asked yet.
func wire(o *options, e env, log *slog.Logger, use storeUse) (*parts, error) {
	endpoint := o.login.URL
	fill(&endpoint, auth.PayUEndpoint)
	if err := auth.CheckEndpoint(endpoint); err != nil {
		return nil, usageError{err}
	}
	data, err := nettransport.New(nettransport.Options{CAFile: o.login.CAFile, Proxy: o.login.Proxy})
	if err != nil {
		return nil, usageError{err}
	}
	store, err := keychain.Open(keychain.Options{
		Dir: o.stateDir, Profile: o.profile, Resource: endpoint, Kind: keychain.Kind(o.login.Store),
		AllowMemory: use.memory, NeverUnsaved: !use.memory, LockWait: use.lockWait(), Keyring: use.keyring, Log: log,
	})
	if err != nil {
		return nil, err
	}
	cfg, err := authConfig(o.login)
	if err != nil {
		return nil, err
	}
	server, err := nettransport.New(nettransport.Options{
		CAFile: o.login.CAFile, Proxy: o.login.Proxy, NoCompression: true,
		Guard: auth.Reach(endpoint, cfg.ServerMetadataURL),
	})
	if err != nil {
		return nil, usageError{err}
	}
	cfg.Resource, cfg.Log, cfg.SignInLimit = endpoint, log, use.limit
	shelf, changed := newShelf(o.stateDir, o.profile, endpoint), newChangedTools(o.stateDir, o.profile, endpoint, log)
	cfg.HTTP = &http.Client{Transport: server}
	cfg.Store = &credentialStore{sealed: store, log: log, beforeDelete: func() { dropCatalogue(shelf, changed, log) }}
	cfg.SignedIn = func(sameAccount bool) {
		if !sameAccount {
			dropCatalogue(shelf, changed, log)
		}
	}
	client, err := auth.New(cfg)
	if err != nil {
		return nil, usageError{err}
	}
	opener, err := newOpener(e)
	if err != nil {
		return nil, err
	}
	return &parts{
		endpoint: endpoint, log: log, store: store, auth: client, data: data, guarded: server, opener: opener,
		era:       newEraMemory(o.stateDir, o.profile, endpoint, log),
		catalogue: shelf, changed: changed,
	}, nil
}

// authConfig reads what concerns the client from the settings.
func authConfig(s settings) (auth.Config, error) {
	cfg := auth.Config{
		ClientID: s.ClientID, ClientSecret: s.secret, NoSecret: s.noSecret, ClientMetadataURL: s.ClientMetadataURL,
		Scopes: strings.Fields(s.Scope), CallbackPort: s.CallbackPort,
		ResourceIndicator: s.Resource, ServerMetadataURL: s.AuthServerMetadataURL,
	}
	if s.ClientSecretFile == "" {
		return cfg, nil
	}
	secret, err := os.ReadFile(s.ClientSecretFile)
	if err != nil {
		return cfg, hint.With(fmt.Errorf("reading the client secret: %w", err), "check the path given with --client-secret-file")
	}
	if cfg.ClientSecret = redact.Secret(bytes.TrimSpace(secret)); cfg.ClientSecret == "" {
		return cfg, hint.With(errors.New("the client secret file is empty"), "check the file given with --client-secret-file")
	}
	return cfg, nil
}

// newOpener starts browsers through our own binary (OAUTH section 5).
func newOpener(e env) (auth.Opener, error) {
	self, err := os.Executable()
	if err != nil {
		return auth.Opener{}, fmt.Errorf("finding the own program: %w", err)
	}
	command := []string{self, openURLCommand, "--" + coreLimitFlag, strconv.FormatUint(e.coreLimit, 10)}
	return auth.Opener{Command: command, Getenv: e.getenv}, nil
}

// remote returns the relay's client with the given source of tokens.
func (p *parts) remote(a remote.Authorizer, limits remote.Limits) (*remote.Client, error) {
	c, err := remote.New(remote.Config{
		Endpoint: p.endpoint, HTTP: p.data, Authorizer: a, InForce: p.auth.InForce, Log: p.log, Limits: limits,
		Era: p.era.load(), Learnt: p.era.save,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the endpoint: %w", err)
	}
	return c, nil
}

// close stores what is still to be stored and frees the rest.
func (p *parts) close(ctx context.Context) error {
	p.auth.Close(ctx)
	p.data.CloseIdleConnections()
	if ctx.Err() == nil {
		return p.store.Close()
	}
	return nil // a refresh that hangs has the store: the system frees its lock
}
