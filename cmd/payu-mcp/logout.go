package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

func newLogoutCmd(e env, o *options) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Revoke the login at the server and delete it here",
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
	stored, err := keychain.List(o.stateDir)
	if err != nil {
		return err
	}
	var failed []error
	found := false
	ring := keychain.NewKeyring(nil, keychain.LoginDeadline)
	for _, s := range stored {
		switch {
		case s.Header == nil && all:
			found = true
			failed = append(failed, unreadable(s))
		case s.Header != nil && (all || s.Header.Profile == o.profile):
			found = true
			failed = append(failed, logoutOne(cmd.Context(), e, *o, s.Header, ring))
		}
	}
	if !found {
		_, err := fmt.Fprintln(e.stdout, "Nobody is signed in.")
		return err
	}
	return errors.Join(failed...)
}

// unreadable: nobody can tell whose file it is, so it is left to the person.
func unreadable(s keychain.Entry) error {
	return hint.With(fmt.Errorf("%s: %w", s.Path, s.Err), "delete the file by hand if you do not need it; what it holds can be ended in PayU's dashboard")
}

// logoutOne signs out one stored login with the settings of its own profile.
func logoutOne(ctx context.Context, e env, o options, h *keychain.Header, ring *keychain.Keyring) error {
	log, closeLog, err := newLogger(&o, e.stderr)
	if err != nil {
		return err
	}
	defer func() { _ = closeLog() }()
	saved, err := loadSettings(o.stateDir, h.Profile)
	if err != nil {
		return err
	}
	o.profile, o.login = h.Profile, saved
	o.login.URL, o.login.Store = h.Resource, ""
	o.login.ClientID, o.login.ClientSecretFile = "", "" // the stored registration is the one to use
	p, err := wire(&o, e, log, storeUse{keyring: ring})
	if err != nil {
		return err
	}
	done, err := p.auth.Logout(ctx)
	if err == nil {
		err = p.store.Remove(ctx) // what could not be opened is still there
	}
	printLogout(e.stdout, h, done, err)
	return errors.Join(err, p.close(ctx))
}

func printLogout(w io.Writer, h *keychain.Header, done []auth.Revocation, err error) {
	fmt.Fprintf(w, "%s (profile %s)\n", h.Resource, h.Profile)
	told := true
	for _, r := range done {
		if r.Err != nil {
			told = false
			fmt.Fprintf(w, "  %-14s not revoked: %v\n", r.Token, r.Err)
			continue
		}
		fmt.Fprintf(w, "  %-14s revoked\n", r.Token)
	}
	if err == nil {
		fmt.Fprintln(w, "  deleted from this computer")
	}
	if !told {
		fmt.Fprintln(w, "  What was not revoked can be ended in PayU's dashboard: Security Settings, Connected Applications.")
	}
}
