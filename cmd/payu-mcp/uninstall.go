package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/install"
)

const uninstallLong = `Take payu-mcp out of the configuration of the MCP hosts on this computer: every
entry that starts it, or those of one profile with --profile. It shows the exact
change of each file and asks. Entries of other programs stay as they are.`

type uninstallOptions struct {
	hostOptions

	logout bool
}

func newUninstallCmd(e env, o *options) *cobra.Command {
	uo := uninstallOptions{hostOptions: hostOptions{options: o}}
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Take payu-mcp out of the configuration of the hosts",
		Long:  uninstallLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := uo.resolve(cmd, e.getenv); err != nil {
				return err
			}
			return runUninstall(cmd, e, uo)
		},
	}
	addHostFlags(cmd.Flags(), &uo.hostOptions)
	cmd.Flags().BoolVar(&uo.logout, "logout", false, "also sign out, as payu-mcp logout does")
	return cmd
}

func runUninstall(cmd *cobra.Command, e env, uo uninstallOptions) error {
	if err := uo.check(); err != nil {
		return err
	}
	sys, err := install.This()
	if err != nil {
		return err
	}
	c := newChanging(e, uo.hostOptions, sys)
	if err := c.mayAsk(); err != nil {
		return err
	}
	changes := c.planRemoval(uo.everywhere(), uo.onlyProfile())
	agreed := len(changes) > 0 && !uo.dryRun
	if agreed && !uo.yes {
		if agreed, err = c.person.yes(cmd.Context(), "\nWrite this?", false); err != nil {
			return err
		}
	}
	if agreed {
		c.apply(cmd.Context(), changes, func(install.Change) {})
		fmt.Fprintln(c.out, "\nHosts that are running go on with what they have until they are started again.")
	}
	if uo.dryRun || len(changes) > 0 && !agreed {
		return c.result()
	}
	return errors.Join(c.result(), c.signOut(cmd, uo))
}

// everywhere are the hosts to look at: also those that seem to be gone may have
// left a file.
func (o *hostOptions) everywhere() []install.Host {
	return slices.DeleteFunc(install.Hosts(), func(h install.Host) bool {
		return len(o.clients) > 0 && !slices.Contains(o.clients, h.ID)
	})
}

// onlyProfile is the profile that was given, or "" for all.
func (o *hostOptions) onlyProfile() string {
	if o.origin["profile"] == "" {
		return ""
	}
	return o.profile
}

// planRemoval shows what would be removed, and returns what can be done.
func (c *changing) planRemoval(hosts []install.Host, profile string) []install.Change {
	var all []install.Change
	for _, h := range hosts {
		all = append(all, c.sys.Removal(h, profile, c.options(false))...)
	}
	all = slices.DeleteFunc(onceEach(all), func(ch install.Change) bool {
		return ch.Err == nil && ch.Empty() || errors.Is(ch.Err, install.ErrNoProject) && len(c.o.clients) == 0
	})
	for _, ch := range all {
		c.show(ch)
		if ch.Err != nil {
			c.fail(ch)
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(c.out, "No host's configuration has payu-mcp in it.")
	}
	return slices.DeleteFunc(all, unchanged)
}

// signOut ends the login too, if the person wants that.
func (c *changing) signOut(cmd *cobra.Command, uo uninstallOptions) error {
	all := uo.onlyProfile() == ""
	if !uo.logout {
		if uo.yes || !c.person.present() {
			return nil // nobody asked for it
		}
		signedIn, failed, err := uo.logoutTargets(all)
		if err != nil || len(signedIn)+len(failed) == 0 {
			return err
		}
		yes, err := c.person.yes(cmd.Context(), "\nSign out, too?", false)
		if err != nil || !yes {
			return err
		}
	}
	return runLogout(cmd, c.person.e, uo.options, all)
}
