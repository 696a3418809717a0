package journal

import (
	"path/filepath"
	"slices"

	"github.com/payu-mcp/payu-mcp/internal/logfile"
)

// Listing is what the journal of a profile holds.
type Listing struct {
	Entries []Entry // the oldest first
	Damaged int     // lines that cannot be read
	Cut     bool    // a file is larger than any that was written here: its beginning was not read
}

// Open is how many entries somebody still has to look up.
func (l Listing) Open() int {
	n := 0
	for _, e := range l.Entries {
		if e.Open() {
			n++
		}
	}
	return n
}

// Read reads the journal of a profile with its rotated files. A missing one is
// empty.
func Read(stateDir, profile string) (Listing, error) {
	f := fileOf(stateDir, profile)
	l, err := read(f)
	if err != nil || !slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Outcome == "" }) {
		return l, err
	}
	before := map[string]bool{}
	for _, e := range l.Entries {
		before[e.run+e.ID] = e.Outcome == ""
	}
	living := runs{filepath.Dir(f.Path), profile}.living()
	// Read once more: a process that is gone by now has written its last ends.
	if l, err = read(f); err != nil {
		return l, err
	}
	for i, e := range l.Entries {
		switch {
		case e.Outcome != "":
		case before[e.run+e.ID] && !living[e.run]:
			l.Entries[i].Outcome = Unknown
		default:
			l.Entries[i].Outcome = Running
		}
	}
	return l, nil
}

// read reads the files; entries without an end have no outcome.
func read(f *logfile.File) (Listing, error) {
	contents, err := f.Contents()
	if err != nil {
		return Listing{}, err
	}
	return listingOf(contents), nil
}

// listingOf puts the lines of files, the oldest first, together.
func listingOf(contents []logfile.Content) Listing {
	var l Listing
	s := sheet{at: map[string]int{}}
	for _, c := range contents {
		l.Cut = l.Cut || c.Cut
		for _, line := range lines(c.Lines) {
			r, err := parse(line)
			if err != nil {
				l.Damaged++
				continue
			}
			s.add(r)
		}
	}
	slices.SortStableFunc(s.entries, func(a, b Entry) int { return a.Begun.Compare(b.Begun) })
	l.Entries = s.entries
	return l
}

// sheet puts lines together to entries.
type sheet struct {
	entries []Entry
	at      map[string]int // by run and id
}

// add takes one line. One whose beginning is gone, rotated away, tells nothing.
func (s *sheet) add(r record) {
	key := r.Run + r.ID
	i, known := s.at[key]
	if !known && r.Event == begun {
		s.at[key] = len(s.entries)
		s.entries = append(s.entries, Entry{
			ID: r.ID, run: r.Run, Begun: r.At, Tool: r.Tool, InvoiceNumber: r.InvoiceNumber, RequestID: r.RequestID,
		})
	}
	if !known {
		return
	}
	switch e := &s.entries[i]; r.Event {
	case again:
		e.RequestID = r.RequestID
	case ended:
		if e.Outcome == "" {
			e.Ended, e.Outcome = r.At, r.Outcome
		}
	case checked:
		e.Checked = r.At
	case begun:
	}
}
