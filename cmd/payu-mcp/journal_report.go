package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// journalReport is the schema of `journal --json`; members are only ever added
// (HOSTS C3).
type journalReport struct {
	File    string         `json:"file"`
	Entries []journalEntry `json:"entries"` // the newest last
	Unknown int            `json:"unknown"` // how many are of unknown outcome and not checked, shown or not
	Damaged int            `json:"damaged"` // lines that cannot be read
	Cut     bool           `json:"cut"`     // a file is too large to be read whole

	command string // marks an entry as checked
	only    bool   // those that are open
}

// journalEntry is one call. Times are RFC 3339 in UTC.
type journalEntry struct {
	ID            string          `json:"id"`
	Time          time.Time       `json:"time"`
	Tool          string          `json:"tool"`
	InvoiceNumber string          `json:"invoice_number,omitempty"`
	RequestID     string          `json:"request_id,omitempty"`
	Outcome       journal.Outcome `json:"outcome"`
	EndedAt       time.Time       `json:"ended_at,omitzero"`
	CheckedAt     time.Time       `json:"checked_at,omitzero"`
}

// newJournalReport takes the last entries of those that are wanted.
func newJournalReport(o *options, l journal.Listing, f journalFlags) *journalReport {
	r := &journalReport{
		File: journal.Path(o.stateDir, o.profile), Entries: []journalEntry{}, Unknown: l.Open(), Damaged: l.Damaged, Cut: l.Cut,
		command: o.command("journal --checked ENTRY"), only: f.unknown,
	}
	for _, e := range slices.Backward(l.Entries) {
		if len(r.Entries) < f.most && (e.Open() || !f.unknown) {
			r.Entries = append(r.Entries, journalEntry{
				e.ID, e.Begun.UTC(), e.Tool, e.InvoiceNumber, e.RequestID, e.Outcome, e.Ended.UTC(), e.Checked.UTC(),
			})
		}
	}
	slices.Reverse(r.Entries)
	return r
}

// word is the outcome for people.
func (e journalEntry) word() string {
	switch {
	case e.Outcome == journal.NotSent:
		return "not sent"
	case e.Outcome == journal.Unknown && !e.CheckedAt.IsZero():
		return "unknown, checked"
	}
	return string(e.Outcome)
}

func (r *journalReport) json(w io.Writer) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the journal: %w", err)
	}
	_, err = w.Write(append(printable.JSON(b), '\n'))
	return err
}

// statusJournal is what `status` says of the journal.
type statusJournal struct {
	File    string `json:"file"`
	Off     bool   `json:"off"`               // --no-journal
	Unknown int    `json:"unknown"`           // calls of unknown outcome that nobody has checked
	Trouble string `json:"trouble,omitempty"` // why it cannot be read
}

func (o *options) statusJournal() statusJournal {
	s := statusJournal{File: journal.Path(o.stateDir, o.profile), Off: o.login.NoJournal}
	l, err := journal.Read(o.stateDir, o.profile)
	if err != nil {
		s.Trouble = err.Error()
	}
	s.Unknown = l.Open()
	return s
}

// text is where it is; open is "" if there is nothing to look up.
func (s statusJournal) text() string {
	if s.Off {
		return "off (--no-journal); what it has is in " + s.File
	}
	return s.File
}

func (s statusJournal) open(command string) string {
	switch {
	case s.Trouble != "":
		return "the journal cannot be read: " + s.Trouble
	case s.Unknown == 1:
		return "1 call of unknown outcome, see " + command
	case s.Unknown > 1:
		return fmt.Sprintf("%d calls of unknown outcome, see %s", s.Unknown, command)
	}
	return ""
}
