package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/bridge/translate"
	"github.com/payu-mcp/payu-mcp/keychain"
	"github.com/payu-mcp/payu-mcp/remote"
)

// collectLimit is how long the server is asked about itself while a person waits
// for `login` to end.
const collectLimit = 20 * time.Second

// hostVersions are the protocol versions that hosts of the legacy era begin with
// (HOSTS H2), the one of most hosts first.
func hostVersions() []string { return []string{"2025-11-25", "2025-06-18"} }

// newShelf keeps the catalogue beside the login, under the same hash.
func newShelf(stateDir, profile, endpoint string) *catalogue.Shelf {
	return catalogue.NewShelf(stateDir, stateName(stateDir, profile, endpoint), time.Now)
}

// stateName is what the files of one profile and endpoint have in common.
func stateName(stateDir, profile, endpoint string) string {
	login := filepath.Base(keychain.Path(stateDir, profile, endpoint))
	return strings.TrimSuffix(strings.TrimPrefix(login, "credential-"), filepath.Ext(login))
}

// introduce greets the server with the new login, as hello does, and fills the
// catalogue for the next start of a bridge. Only what the greeting met is an
// error: without a catalogue the bridge asks the server.
func (p *parts) introduce(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, collectLimit)
	defer cancel()
	kept := ""
	err := p.greet(ctx, p.auth, func(r *remote.Client, version string, opening json.RawMessage) {
		kept = version
		saved, err := catalogue.Complete(limited, r, version, clientInfo(), opening)
		p.keep(limited, version, saved, err)
	})
	if err != nil {
		return err
	}
	for _, version := range hostVersions() {
		if version != kept && limited.Err() == nil {
			p.collect(limited, version)
		}
	}
	return nil
}

// collect asks in a session of its own, and through the translation that a host
// of that version would get.
func (p *parts) collect(ctx context.Context, version string) {
	r, err := p.remote(p.auth, remote.Limits{Idle: helloLimit})
	if err != nil {
		p.keep(ctx, version, nil, err)
		return
	}
	defer func() { _ = r.Close(ctx) }() // the session ends with the server's patience too
	saved, err := catalogue.Collect(ctx, translate.New(r, r.Era, p.log), version, clientInfo())
	p.keep(ctx, version, saved, err)
}

// keep saves what was collected, if that went well.
func (p *parts) keep(ctx context.Context, version string, saved *catalogue.Saved, err error) {
	if err == nil {
		p.compare(version, *saved)
		err = p.catalogue.Save(version, *saved)
	}
	if err != nil {
		p.log.LogAttrs(ctx, slog.LevelDebug, "there is no catalogue for the next start", slog.String("version", version), slog.Any("error", err))
	}
}

// compare notes what of the tools is not as it was kept.
func (p *parts) compare(version string, now catalogue.Saved) {
	const tools = "tools/list"
	was, err := p.catalogue.Load(version)
	if err != nil || was == nil {
		return
	}
	if changes := policy.Changes(was.Lists[tools], now.Lists[tools]); len(changes) > 0 {
		p.changed.note(changes)
	}
}

// dropCatalogue forgets what the server said to an account that leaves.
func dropCatalogue(shelf *catalogue.Shelf, changed changedTools, log *slog.Logger) {
	if err := errors.Join(shelf.Drop(), changed.drop()); err != nil {
		log.Warn("the catalogue of the old login could not be removed", slog.Any("error", err))
	}
}

// savedVersions sorts what a shelf holds; never nil, so that JSON has a list.
func savedVersions(ages map[string]time.Time) []statusSaved {
	all := make([]statusSaved, 0, len(ages))
	for _, version := range slices.Sorted(maps.Keys(ages)) {
		all = append(all, statusSaved{version, ages[version]})
	}
	return all
}

// catalogueText says how old the answers are that a host gets at once.
func (r *statusReport) catalogueText() string {
	var all []string
	for _, c := range r.Catalogue {
		all = append(all, c.Version+" of "+c.SavedAt.Local().Format(time.DateTime))
	}
	return strings.Join(all, ", ")
}

// savedAnswers is the bridge's Catalogue.
type savedAnswers struct {
	*parts

	login *signIns
	seen  atomic.Bool // somebody was signed in while this process ran
}

// Load implements bridge.Catalogue.
func (s *savedAnswers) Load(version string) (*catalogue.Saved, error) {
	return s.catalogue.Load(version)
}

// Save implements bridge.Catalogue. An answer that came while somebody signed out
// is the old account's, and is not kept.
func (s *savedAnswers) Save(version string, v catalogue.Saved) error {
	now := s.login.Standing()
	s.seen.CompareAndSwap(false, now == bridge.StandingSignedIn)
	left := now == bridge.StandingSignedOut || now == bridge.StandingUnknown && s.seen.Load()
	if left && s.store.Kind() != keychain.KindMemory {
		return nil
	}
	return s.catalogue.Save(version, v)
}
