package main

import (
	"context"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// keychain stores, reads and removes an item. One that hangs has its deadline, and
// is not asked again by anything else of this run.
func (d *doctor) keychain(ctx context.Context) diagnose.Findings {
	if d.storeKind() == keychain.KindFile {
		d.keyed <- true
		return diagnose.Found(fine("keychain", diagnose.Here, "it is not used: the login is kept with --store=file, its key beside it"))
	}
	begun := time.Now()
	err := d.ring.Try(ctx)
	d.keyed <- err == nil
	if err != nil {
		l := faultOf("keychain", diagnose.Here, err)
		l.Took = diagnose.Took(time.Since(begun))
		return diagnose.Found(l)
	}
	l := fine("keychain", diagnose.Here, "an item was stored, read back and removed")
	l.Took = diagnose.Took(time.Since(begun))
	return diagnose.Found(l)
}

// storeKind is where the key is, or would be.
func (d *doctor) storeKind() keychain.Kind {
	h, _, err := keychain.Peek(d.o.stateDir, d.o.profile, d.p.endpoint)
	if err == nil && h != nil && d.o.login.Store == "" {
		return h.Kind
	}
	return keychain.Kind(d.o.login.Store)
}
