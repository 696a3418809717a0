package install

import (
	"fmt"
	"path/filepath"

	"github.com/payu-mcp/payu-mcp/install/edit"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// Finding is what one file of a host says about this program. Nothing in it is
// secret: paths, names, and sentences of ours.
type Finding struct {
	// Host is the id that --client takes, Name what people call the host.
	Host, Name string
	// Installed: the host seems to be on this computer.
	Installed bool
	// Path is the file, Entry the name of the entry in it.
	Path, Entry string
	State       State
	// Detail says what is the matter, Advice what helps; "" where nothing is.
	Detail, Advice string

	profile string // whose entry install would put right
	byHand  bool   // install would not: it has another name and options, or no profile that there can be
}

// Survey looks at the files of all hosts for one person; none is changed. name is
// that of the entry, payu or payu-X, and command the path that it should have.
// There is at least one finding for each host; entries for other profiles, broken
// ones and duplicates have their own.
func (s System) Survey(name, command string) []Finding {
	var all []Finding
	for _, h := range Hosts() {
		all = append(all, s.surveyHost(h, Command{Path: command, Profile: profileOf(name)})...)
	}
	return all
}

func (s System) surveyHost(h Host, want Command) []Finding {
	var all []Finding
	installed, usual := s.Installed(h), false // usual: the usual edition has the entry
	for _, p := range s.spots(h, false) {
		findings := h.look(p, want)
		for i := range findings {
			f := &findings[i]
			f.Installed = installed
			if p.store && f.State == StateAbsent && usual {
				f.State, f.Detail = StateStorePackage, "the edition from the Windows Store reads this file, and the entry is in another one"
			}
			usual = usual || !p.store && f.State == StateOurs
			f.Advice = advice(*f)
		}
		all = append(all, findings...)
	}
	return all
}

// look judges one file: our entry, or that there is none, then all others that
// concern us.
func (h Host) look(p spot, want Command) []Finding {
	finding := Finding{Host: h.ID, Name: h.Name, Path: p.path, Entry: want.Name(), State: StateAbsent, profile: profileOf(want.Name())}
	_, entries, err := h.read(p)
	if err != nil {
		finding.State, finding.Detail = StateUnreadable, err.Error()
		return []Finding{finding}
	}
	var mine, others []Finding
	for _, f := range h.judge(entries, want) {
		one := finding
		one.Entry, one.State, one.Detail = f.name, f.state, f.detail
		if f.name == want.Name() {
			mine = append(mine, one)
			continue
		}
		if f.profile != "" {
			curable := f.bare || f.name == Command{Profile: f.profile}.Name()
			one.profile, one.byHand = f.profile, !curable || !plainProfile(f.profile)
		}
		others = append(others, one)
	}
	if len(mine) == 0 {
		mine = []Finding{finding}
	}
	return append(mine, others...)
}

// read returns a file of h and the entries in it; none if there is no file. A link
// that leads out of the home, or of the project, which may be a stranger's, is not
// followed.
func (h Host) read(p spot) (f edit.File, entries map[string]map[string]any, err error) {
	if f, err = edit.ReadIn(p.within, p.path); err != nil {
		return f, nil, fmt.Errorf("reading the file: %w", err)
	}
	if !f.Exists && leadsOut(p.within, filepath.Dir(p.path)) {
		return f, nil, fmt.Errorf("%w: its folder is a link that leads out of %s", edit.ErrRefused, p.within)
	}
	entries, err = edit.List(h.format, f.Bytes, h.at(""))
	return f, entries, err
}

// leadsOut tells whether a folder, or the nearest above it that there is, is
// somewhere else than below within, where its name says that it is.
func leadsOut(within, folder string) bool {
	if !below(within, folder) {
		return false // a person's own XDG_CONFIG_HOME, for example
	}
	around, err := filepath.EvalSymlinks(within)
	if err != nil {
		return false // it is not there yet
	}
	for !exists(folder) && folder != within {
		folder = filepath.Dir(folder)
	}
	target, err := filepath.EvalSymlinks(folder)
	return err != nil || !below(around, target)
}

func below(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// plainProfile tells a profile's name as the command line takes it. One from a file
// may be anything, and the advice is pasted into a shell.
func plainProfile(name string) bool {
	return printable.Plain(name, "_-", 64)
}

// advice is the command that puts a state right.
func advice(f Finding) string {
	again := "payu-mcp install --client " + f.Host
	if f.profile != defaultProfile {
		again += " --profile " + f.profile
	}
	switch f.State {
	case StateOurs:
		return ""
	case StateAbsent:
		if !f.Installed {
			return ""
		}
		return again
	case StateForeign:
		return again + " --replace, if the other server may go"
	case StateUnreadable:
		return "correct the file, or see payu-mcp install --print --client " + f.Host
	case StateStale:
		if f.byHand {
			return "correct the path in the file, or remove the entry"
		}
		return again
	case StateDifferent, StateBroken, StateDuplicate, StateStorePackage:
		return again
	}
	return again
}
