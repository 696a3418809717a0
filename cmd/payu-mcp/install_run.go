package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/install/edit"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// installing is one run of install.
type installing struct {
	changing

	o    installOptions
	path string // of this program
}

// command is what a host shall start.
func (in *installing) command(h install.Host) install.Command {
	c := install.Command{Path: in.path, Profile: in.o.profile, Brakes: in.o.brakeArgs()}
	if in.o.ownSession {
		c.Profile = h.ID
	}
	return c
}

func (in *installing) run(cmd *cobra.Command, hosts []install.Host) error {
	if err := in.mayAsk(); err != nil {
		return err
	}
	ctx := cmd.Context()
	changes, err := in.plan(ctx, hosts)
	if err != nil {
		return err
	}
	if in.o.dryRun || len(slices.DeleteFunc(slices.Clone(changes), unchanged)) == 0 {
		return in.result()
	}
	if changes, err = in.agree(ctx, changes); err != nil {
		return err
	}
	if len(changes) == 0 {
		return in.result()
	}
	signIn := in.offerSignIn(cmd, changes)
	if ctx.Err() != nil {
		return errInterrupted
	}
	var notes []string
	in.apply(ctx, changes, func(ch install.Change) { notes = append(notes, ch.Host.Name+": "+ch.Host.After) })
	in.tell(notes)
	return errors.Join(signIn, in.result())
}

// plan shows what would be done to each host, and asks about entries of others.
func (in *installing) plan(ctx context.Context, hosts []install.Host) ([]install.Change, error) {
	var all []install.Change
	for _, h := range hosts {
		all = append(all, in.sys.Plan(h, in.command(h), in.options(in.o.replace))...)
	}
	all = slices.DeleteFunc(onceEach(all), func(ch install.Change) bool {
		return errors.Is(ch.Err, install.ErrNoProject) && len(in.o.clients) == 0 // nobody asked for it
	})
	for i := range all {
		in.show(all[i])
		if errors.Is(all[i].Err, install.ErrForeign) {
			var err error
			if all[i], err = in.askForeign(ctx, all[i]); err != nil {
				return nil, err
			}
			if errors.Is(all[i].Err, install.ErrForeign) && in.mayAnswer() {
				continue // the person has decided
			}
		}
		if all[i].Err != nil {
			in.fail(all[i])
			in.snippet(all[i].Host, all[i].Err)
		}
	}
	return all, nil
}

// askForeign lets a person decide about somebody else's entry under our name.
func (in *installing) askForeign(ctx context.Context, ch install.Change) (install.Change, error) {
	if !in.mayAnswer() {
		fmt.Fprintln(in.out, "  to replace it, give --replace")
		return ch, nil
	}
	yes, err := in.person.yes(ctx, "  Replace it?", false)
	if err != nil || !yes {
		return ch, err
	}
	for _, again := range in.sys.Plan(ch.Host, in.command(ch.Host), in.options(true)) {
		if again.Path == ch.Path {
			in.show(again)
			return again, nil
		}
	}
	return ch, nil
}

// mayAnswer tells whether there are questions: nobody said yes beforehand, and
// there is something to say yes to.
func (in *installing) mayAnswer() bool { return !in.o.yes && !in.o.dryRun }

// snippet prints what can be pasted by hand where we do not dare to edit.
func (in *installing) snippet(h install.Host, why error) {
	if !errors.Is(why, edit.ErrRefused) {
		return
	}
	if text, err := h.Snippet(in.command(h)); err == nil {
		fmt.Fprintf(in.out, "  by hand, it needs this:\n\n%s\n", indent(text))
	}
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

// agree asks which of the changes to make.
func (in *installing) agree(ctx context.Context, changes []install.Change) ([]install.Change, error) {
	changes = slices.DeleteFunc(changes, unchanged)
	if in.o.yes {
		return changes, nil
	}
	var ids []string
	for _, ch := range changes {
		ids = append(ids, ch.Host.ID)
	}
	ids = slices.Compact(ids)
	question := "\nWrite this? [y/N] "
	if len(ids) > 1 {
		question = "\nWrite this? y for all, or the names you want, of " + strings.Join(ids, ",") + " [y/N] "
	}
	for {
		answer, err := in.person.ask(ctx, question)
		if err != nil {
			return nil, err
		}
		chosen, known := choose(answer, ids)
		if !known {
			fmt.Fprintf(in.out, "%q is not understood.\n", printable.Line(answer, 80))
			continue
		}
		changes = slices.DeleteFunc(changes, func(ch install.Change) bool { return !slices.Contains(chosen, ch.Host.ID) })
		if len(changes) == 0 {
			fmt.Fprintln(in.out, "Nothing was changed.")
		}
		return changes, nil
	}
}

// choose reads an answer: all, none, or some of ids.
func choose(answer string, ids []string) (chosen []string, known bool) {
	switch answer {
	case "y", "yes", "all":
		return ids, true
	case "", "n", "no", "none":
		return nil, true
	}
	chosen = strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' })
	return chosen, !slices.ContainsFunc(chosen, func(id string) bool { return !slices.Contains(ids, id) })
}

// offerSignIn lets the person sign in before a host starts us, so that its first
// start has PayU's own list of tools (HOSTS P4). A sign-in that fails is told, and
// stops nothing: the assistant's first request signs in, too.
func (in *installing) offerSignIn(cmd *cobra.Command, changes []install.Change) error {
	if in.o.yes || !in.person.present() {
		return nil
	}
	var profiles []string
	for _, ch := range changes {
		profiles = append(profiles, in.command(ch.Host).Profile)
	}
	slices.Sort(profiles)
	var failed []error
	for _, profile := range slices.Compact(profiles) {
		failed = append(failed, in.signIn(cmd, profile))
	}
	return errors.Join(failed...)
}

func (in *installing) signIn(cmd *cobra.Command, profile string) error {
	o := *in.o.options
	o.profile, o.login.brakes = profile, o.saved.brakes // those of the command line are the entries'
	if sum, err := peekSummary(&o, cmp.Or(o.login.URL, auth.PayUEndpoint)); err == nil && sum != nil && sum.SignedIn {
		return nil
	}
	question := "\nSign in now, so that it works from the first start?"
	if profile != defaultProfile {
		question = "\nSign in for profile " + profile + " now?"
	}
	yes, err := in.person.yes(cmd.Context(), question, true)
	if err != nil || !yes {
		return err
	}
	err = runLogin(cmd, in.person.e, loginOptions{options: &o, limit: auth.SignInLimit})
	if err != nil && cmd.Context().Err() == nil {
		fmt.Fprintf(in.out, "\nThe sign-in did not work: %s.\nThe hosts are set up all the same; what helps: %s.\n", printable.Line(redact.Text(err.Error()), longestClause), hint.Of(err))
	}
	return err
}

// tell says what is left to do, host by host.
func (in *installing) tell(notes []string) {
	if len(notes) == 0 {
		return
	}
	fmt.Fprintln(in.out, "\nWhat is left to do:")
	for _, note := range slices.Compact(notes) {
		fmt.Fprintf(in.out, "  %s\n", note)
	}
}
