package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// logoutLimit bounds the wait for another process's lock and two revocations.
const logoutLimit = 90 * time.Second

const logoutLong = `Revoke the login at the server, then delete it and its key from this computer.

It is deleted also when the server does not confirm that the tokens are dead; then
the exit code is 6. Running bridges notice within 5 seconds and end their sessions.`

func newLogoutCmd(e env, o *options) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Revoke the login at the server and delete it here",
		Long:  logoutLong,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runLogout(cmd, e, o, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "sign out every profile")
	return cmd
}

func runLogout(cmd *cobra.Command, e env, o *options, all bool) error {
	if err := o.resolve(cmd, e.getenv); err != nil {
		return err
	}
	targets, failed, err := o.logoutTargets(all)
	if err != nil {
		return err
	}
	if len(targets)+len(failed) == 0 {
		_, err := fmt.Fprintln(e.stdout, "Nobody is signed in.")
		return err
	}
	ring, allDead := keychain.NewKeyring(nil, keychain.LoginDeadline), true
	for _, t := range targets {
		dead, err := logoutOne(cmd.Context(), e, *o, t, ring)
		failed, allDead = append(failed, err), allDead && dead
	}
	if err := errors.Join(failed...); err != nil || allDead {
		return err
	}
	return errNotRevoked
}

// target is one stored login.
type target struct {
	profile, resource string
	readable          bool
	signedIn          bool // as the clear header says
}

// logoutTargets lists what to sign out. An unreadable file is a target if it
// stands where this profile's login belongs; of another one nobody can tell
// whose it is, so it is left to the person.
func (o *options) logoutTargets(all bool) (targets []target, failed []error, err error) {
	stored, err := keychain.List(o.stateDir)
	if err != nil {
		return nil, nil, err
	}
	endpoint := cmp.Or(o.login.URL, auth.PayUEndpoint)
	for _, s := range stored {
		switch {
		case s.Header == nil && s.Path == keychain.Path(o.stateDir, o.profile, endpoint):
			targets = append(targets, target{profile: o.profile, resource: endpoint})
		case s.Header == nil && all:
			failed = append(failed, unreadable(s))
		case s.Header != nil && (all || s.Header.Profile == o.profile):
			var sum auth.Summary
			err := json.Unmarshal(s.Header.Public, &sum)
			targets = append(targets, target{s.Header.Profile, s.Header.Resource, true, err == nil && sum.SignedIn})
		}
	}
	return targets, failed, nil
}

func unreadable(s keychain.Entry) error {
	err := fmt.Errorf("%s: %w", s.Path, s.Err)
	if errors.Is(s.Err, keychain.ErrNewerVersion) {
		return err // its own hint says what to do
	}
	return hint.With(err, "delete the file by hand if you do not need it; what it holds can be ended in PayU's dashboard")
}

// logoutOne signs out one stored login with the settings of its own profile. dead:
// the server has confirmed that no token lives any more.
func logoutOne(ctx context.Context, e env, o options, t target, ring *keychain.Keyring) (dead bool, err error) {
	o.profile = t.profile
	log, closeLog, err := newLogger(&o, e.stderr)
	if err != nil {
		return false, err
	}
	defer closeLog()
	saved, err := loadSettings(o.stateDir, t.profile)
	if err != nil {
		return false, err
	}
	o.login = saved.wayTo(t.resource)
	p, err := wire(&o, e, log, storeUse{keyring: ring})
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, logoutLimit)
	defer cancel()
	done, err := p.auth.Logout(ctx)
	if err == nil {
		p.era.forget()
		// It went before the login did, but a bridge may have put it back meanwhile.
		dropCatalogue(p.catalogue, p.changed, log)
		err = p.store.Remove(ctx) // what could not be opened is still there
	}
	if errors.Is(err, keychain.ErrKeyLeft) {
		err = hint.With(err, "the key is worth nothing without the file; remove the item payu-mcp in the keychain's own program if you like")
	}
	dead = t.dead(done)
	printLogout(e.stdout, t, done, dead, err)
	return dead, errors.Join(err, p.close(ctx))
}

// wayTo keeps of s only the way to resource: the stored registration and server are
// the ones to use. Part of it is the host that the person chose for the metadata,
// which may be one that nobody else could send a token to.
func (s settings) wayTo(resource string) settings {
	way := settings{URL: resource, CAFile: s.CAFile, Proxy: s.Proxy}
	if cmp.Or(s.URL, auth.PayUEndpoint) == resource {
		way.AuthServerMetadataURL = s.AuthServerMetadataURL
	}
	return way
}

// dead tells whether the server has confirmed the end of all tokens that there
// were. One that it cannot revoke, such as a JWT, ends by itself if it cannot be
// renewed any more.
func (t target) dead(done []auth.Revocation) bool {
	for i, r := range done {
		if r.Err != nil && !endsByItself(r, done[:i]) {
			return false
		}
	}
	return len(done) > 0 || t.readable && !t.signedIn
}

// endsByItself: before are the tokens that could renew it.
func endsByItself(r auth.Revocation, before []auth.Revocation) bool {
	renewable := slices.ContainsFunc(before, func(b auth.Revocation) bool { return b.Err != nil })
	return errors.Is(r.Err, auth.ErrTokenKind) && !r.Expiry.IsZero() && !renewable
}

// place is where a person can end what the server did not confirm. Endpoints of
// this computer stand for PayU's.
func (t target) place() string {
	if ownEndpoint(t.resource) {
		return "in PayU's dashboard: Security Settings, Connected Applications"
	}
	return "at " + hostOf(t.resource) + ", where you manage the programs that may use your account"
}

func printLogout(w io.Writer, t target, done []auth.Revocation, dead bool, err error) {
	fmt.Fprintf(w, "%s (profile %s)\n", t.resource, t.profile)
	if len(done) == 0 && !dead {
		fmt.Fprintln(w, "  tokens         not revoked: the stored login could not be opened")
	}
	for i, r := range done {
		became := "revoked"
		switch {
		case endsByItself(r, done[:i]):
			became = fmt.Sprintf("not revoked: %v; it ends by itself at %s", r.Err, r.Expiry.Local().Format(time.DateTime))
		case r.Err != nil:
			became = fmt.Sprintf("not revoked: %v", r.Err)
		}
		fmt.Fprintf(w, "  %-14s %s\n", r.Token, became)
	}
	if err == nil || errors.Is(err, keychain.ErrKeyLeft) {
		fmt.Fprintln(w, "  deleted from this computer")
	}
	if !dead {
		fmt.Fprintf(w, "  What was not revoked can be ended %s.\n", t.place())
	}
}
