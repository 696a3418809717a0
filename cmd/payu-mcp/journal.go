package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

const journalLong = `Show the calls of tools that may change something, the newest last, and what became of them.

Each call is noted before it is sent: when, which tool, the invoice number if it has one,
the request id, and how it ended. Nothing else of it. When nobody can tell whether PayU has
carried a call out, its outcome is unknown: look it up in PayU before it is tried again, and
then mark it with --checked. docs/journal.md tells more.`

// journalFlags are the options of the command.
type journalFlags struct {
	unknown, asJSON bool
	most            int
	checked         []string
}

func newJournalCmd(e env, o *options) *cobra.Command {
	var f journalFlags
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Show which calls may have changed something in PayU, and what became of them",
		Long:  journalLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.resolve(cmd, e.getenv); err != nil {
				return err
			}
			if f.most < 0 {
				return usagef("give -n a number of calls", "%d calls cannot be shown", f.most)
			}
			if len(f.checked) > 0 {
				return markChecked(e.stdout, o, f.checked)
			}
			err := runJournal(e, o, f)
			if errors.Is(err, syscall.EPIPE) {
				return nil // the reader has seen enough
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&f.unknown, "unknown", false, "show only calls of unknown outcome that nobody has checked")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON object")
	cmd.Flags().IntVarP(&f.most, "lines", "n", 50, "how many of the last calls to show")
	cmd.Flags().StringArrayVar(&f.checked, "checked", nil, "note that you have looked up in PayU what became of this entry; may be repeated")
	return cmd
}

// markChecked notes that a person has looked entries up.
func markChecked(w io.Writer, o *options, ids []string) error {
	for _, id := range ids {
		err := journal.Check(o.stateDir, o.profile, id)
		if errors.Is(err, journal.ErrNoEntry) {
			err = hint.With(fmt.Errorf("%w: %q", err, id), o.journalCommand()+" lists those that are open")
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s is marked as checked.\n", journal.Normal(id)); err != nil {
			return fmt.Errorf("printing what is marked: %w", err)
		}
	}
	return nil
}

func runJournal(e env, o *options, f journalFlags) error {
	l, err := journal.Read(o.stateDir, o.profile)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	r := newJournalReport(o, l, f)
	write := r.text
	if f.asJSON {
		write = r.json
	}
	if err := write(e.stdout); err != nil {
		return err
	}
	return r.doubts(e.stderr)
}

// text is the table for people, in their own time.
func (r *journalReport) text(w io.Writer) error {
	if len(r.Entries) == 0 {
		return nil
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tENTRY\tOUTCOME\tTOOL\tINVOICE NUMBER\tREQUEST ID")
	for _, e := range r.Entries {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.Local().Format(time.DateTime), e.ID, e.word(), e.Tool, orDash(e.InvoiceNumber), orDash(e.RequestID))
	}
	_ = t.Flush() // a Builder takes all
	b.WriteString(r.advice())
	_, err := io.WriteString(w, b.String())
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// advice is what to do about the calls of unknown outcome.
func (r *journalReport) advice() string {
	if r.Unknown == 0 {
		return ""
	}
	what := "1 call is of unknown outcome: PayU may have carried it out."
	if r.Unknown > 1 {
		what = fmt.Sprintf("%d calls are of unknown outcome: PayU may have carried them out.", r.Unknown)
	}
	return "\n" + what + " Look in PayU for the invoice number, or ask PayU's\nsupport with the request id, before it is tried again. Then: " + r.command + "\n"
}

// doubts tells what the table lacks.
func (r *journalReport) doubts(w io.Writer) error {
	var b strings.Builder
	switch {
	case len(r.Entries) > 0:
	case r.only:
		fmt.Fprintf(&b, "No call of unknown outcome is open in %s.\n", r.File)
	default:
		fmt.Fprintf(&b, "No call is noted yet in %s.\n", r.File)
	}
	if r.Damaged > 0 {
		fmt.Fprintf(&b, "payu-mcp: warning: lines of the journal that cannot be read: %d (a writing broke off, or somebody else has written there)\n", r.Damaged)
	}
	if r.Cut {
		b.WriteString("payu-mcp: warning: a file of the journal is larger than any that this program writes; only its end was read\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
