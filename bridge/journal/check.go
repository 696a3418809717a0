package journal

import (
	"errors"
	"time"
)

// ErrNoEntry is what Check says of an id that nobody has to look up.
var ErrNoEntry = errors.New("the journal has no entry of unknown outcome with this id")

// Check notes that a person has looked up what became of an entry of unknown
// outcome, so that it is not open any more. Nothing is rewritten: it is a line
// more. To check an entry twice is no error. Of two entries with one id, which
// hardly ever happens, the older one that is open is meant.
func Check(stateDir, profile, id string) error {
	l, err := Read(stateDir, profile)
	if err != nil {
		return err
	}
	known := false
	for _, e := range l.Entries {
		if e.ID != Normal(id) || e.Outcome != Unknown {
			continue
		}
		if known = true; !e.Open() {
			continue
		}
		line, err := record{Event: checked, ID: e.ID, Run: e.run, At: time.Now()}.line()
		if err != nil {
			return err
		}
		return trouble(fileOf(stateDir, profile).Append(line, true))
	}
	if !known {
		return ErrNoEntry
	}
	return nil
}
