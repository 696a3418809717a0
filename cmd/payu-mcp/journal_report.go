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
	// Others are those of other profiles with such calls, or with a trouble; none if
	// --profile or --url names one.
	Others []otherJournal `json:"others,omitempty"`
}

// otherJournal is what `status` says of the journal of another profile.
type otherJournal struct {
	Profile string `json:"profile"`
	File    string `json:"file"`
	Unknown int    `json:"unknown"`
	Trouble string `json:"trouble,omitempty"`
}

func (o *options) statusJournal() statusJournal {
	own := o.otherJournal(o.profile)
	s := statusJournal{File: own.File, Off: o.login.NoJournal, Unknown: own.Unknown, Trouble: own.Trouble}
	if o.namesOne() {
		return s
	}
	for _, name := range journal.Profiles(o.stateDir) {
		other := o.otherJournal(name)
		if name != o.profile && isProfileName(name) && (other.Unknown > 0 || other.Trouble != "") {
			s.Others = append(s.Others, other)
		}
	}
	return s
}

func (o *options) otherJournal(profile string) otherJournal {
	j := otherJournal{Profile: profile, File: journal.Path(o.stateDir, profile)}
	l, err := journal.Read(o.stateDir, profile)
	if err != nil {
		j.Trouble = err.Error()
	}
	j.Unknown = l.Open()
	return j
}

// text is where it is; open is "" if there is nothing to look up.
func (s statusJournal) text() string {
	if s.Off {
		return "off (--no-journal); what it has is in " + s.File
	}
	return s.File
}

// notes tell what somebody has to look up, and where.
func (s statusJournal) notes(o *options) []string {
	var notes []string
	add := func(whose string, unknown int, trouble, command string) {
		switch {
		case trouble != "":
			notes = append(notes, "the journal"+whose+" cannot be read: "+trouble)
		case unknown == 1:
			notes = append(notes, "1 call"+whose+" of unknown outcome, see "+command)
		case unknown > 1:
			notes = append(notes, fmt.Sprintf("%d calls%s of unknown outcome, see %s", unknown, whose, command))
		}
	}
	add("", s.Unknown, s.Trouble, o.journalCommand())
	for _, j := range s.Others {
		other := *o
		other.profile = j.Profile
		add(" of profile "+j.Profile, j.Unknown, j.Trouble, other.journalCommand())
	}
	return notes
}
