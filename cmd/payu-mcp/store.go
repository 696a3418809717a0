package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// credentialStore is auth's Store on a sealed record: it puts the credential's
// summary into the clear header and the rest into the sealed part.
type credentialStore struct {
	sealed *keychain.Store
	log    *slog.Logger
	// beforeDelete drops what must not outlive the login; nil: nothing.
	beforeDelete func()
	last         atomic.Pointer[decoded] // of the newest Load
	useless      atomic.Bool             // what is stored cannot be used, which was told
}

// decoded is a record with the credential in it. Each request to the server
// loads the credential, and nearly always finds the record of the time before.
// Neither is ever changed: a sign-in, a refresh or a logout, in this process or
// in another, makes a new record.
type decoded struct {
	rec  *keychain.Record
	cred *auth.Credential
}

// Load implements auth.Store. A login that can never be opened again counts as
// none: a person must sign in, and the file is set aside then.
func (s *credentialStore) Load(ctx context.Context) (*auth.Credential, error) {
	rec, err := s.sealed.Load(ctx)
	if errors.Is(err, keychain.ErrDamaged) || errors.Is(err, keychain.ErrKeyMissing) {
		if !s.useless.Swap(true) { // who waits for a sign-in looks every other second
			s.log.WarnContext(ctx, "the stored login cannot be used any more", "err", err)
		}
		return nil, nil // nil is "none", see auth.Store
	}
	if err != nil {
		return nil, err
	}
	s.useless.Store(false)
	if d := s.last.Load(); d != nil && d.rec == rec {
		return d.cred, nil
	}
	cred, err := fromRecord(rec)
	if err == nil {
		s.last.Store(&decoded{rec, cred})
	}
	return cred, err
}

// Update implements auth.Store.
func (s *credentialStore) Update(ctx context.Context, fn func(context.Context, *auth.Credential) (*auth.Credential, error)) error {
	err := s.sealed.Update(ctx, func(ctx context.Context, rec *keychain.Record) (*keychain.Record, error) {
		cur, err := fromRecord(rec)
		if err != nil {
			return nil, err
		}
		next, err := fn(ctx, cur)
		if err != nil || next == cur {
			return rec, err
		}
		if next == nil && s.beforeDelete != nil {
			s.beforeDelete()
		}
		return toRecord(next)
	})
	if errors.Is(err, keychain.ErrUnsaved) {
		return fmt.Errorf("%w: %w", auth.ErrNotSaved, err)
	}
	return err
}

// Claim implements auth.Store.
func (s *credentialStore) Claim(ctx context.Context) (release func(), ok bool, err error) {
	return s.sealed.Claim(ctx)
}

func fromRecord(rec *keychain.Record) (*auth.Credential, error) {
	if rec == nil {
		return nil, nil // nil is "none", see auth.Store
	}
	return auth.Unseal(rec.Secret)
}

func toRecord(c *auth.Credential) (*keychain.Record, error) {
	if c == nil {
		return nil, nil // nil deletes, see keychain.Store.Update
	}
	public, err := json.Marshal(c.Summary())
	if err != nil {
		return nil, fmt.Errorf("encoding the summary: %w", err)
	}
	secret, err := c.Seal()
	if err != nil {
		return nil, err
	}
	return &keychain.Record{Public: public, Secret: secret}, nil
}
