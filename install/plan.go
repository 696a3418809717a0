package install

import (
	"bytes"
	"errors"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

var (
	// ErrForeign: the name in the file belongs to somebody else's server. The caller
	// asks the person, and plans again with Replace.
	ErrForeign = errors.New("the name belongs to another server, which is left alone")
	// ErrNeedsFile: the host's file is not there, and we cannot write a whole one.
	ErrNeedsFile = errors.New("the file is not there yet: start the program once")
	// ErrNoProject: the host has no file for a project.
	ErrNoProject = errors.New("there is no file for a project, only one for each person")
)

// Options say how a plan is made.
type Options struct {
	// Project plans for the file of the project in the current folder, not for the
	// person's own.
	Project bool
	// Replace also replaces somebody else's entry under our name.
	Replace bool
}

// Change is what would be done to one file of a host. Nothing is done until Apply.
type Change struct {
	Host Host
	Path string
	// Does says what is done, one clause each; none: the file stays as it is.
	Does []string
	// Err says why nothing can be done: ErrForeign, ErrNeedsFile, ErrNoProject,
	// edit.ErrRefused, or what reading the file met.
	Err error

	spot  spot
	file  edit.File
	after []byte
	name  string     // of the entry that is put
	entry edit.Entry // nil: none is put
	had   bool       // there is one of that name already
	gone  []string   // entries that are removed
	steps [][]string // command lines of the host's own program that do the same; none: the file is edited
}

// Empty tells whether the file stays as it is.
func (c *Change) Empty() bool { return c.Err != nil || bytes.Equal(c.file.Bytes, c.after) }

// Diff shows what is done, as a unified diff; "" where nothing is.
func (c *Change) Diff() string {
	if c.Empty() {
		return ""
	}
	return edit.Diff(c.Path, c.file.Bytes, c.after)
}

// Entry is the whole entry that is put, as the snippet that has only it; "" where
// none is. A diff may have cut its lines.
func (c *Change) Entry() string {
	if c.entry == nil {
		return ""
	}
	b, err := edit.Snippet(c.Host.format, c.Host.at(c.name), c.entry)
	if err != nil {
		return "" // it was put into a file already
	}
	return string(b)
}

// Plan says how the files of h get our entry: one change for each edition of h
// that is there. Broken entries for PayU and duplicates of ours go.
func (s System) Plan(h Host, want Command, o Options) []Change {
	return s.changes(h, o, func(c *Change, entries map[string]map[string]any) { c.put(h.judge(entries, want), want, o) })
}

// Removal says how our entries leave the files of h: those that use a profile,
// or all with "".
func (s System) Removal(h Host, profile string, o Options) []Change {
	changes := s.changes(h, o, func(c *Change, entries map[string]map[string]any) {
		c.take(h.judge(entries, Command{Profile: profile}), profile)
	})
	for i := range changes {
		if c := &changes[i]; errors.Is(c.Err, edit.ErrRefused) && !bytes.Contains(c.file.Bytes, []byte("payu-mcp")) {
			c.Err = nil // whatever is wrong with it, we are not in it
		}
	}
	return changes
}

func (s System) changes(h Host, o Options, plan func(*Change, map[string]map[string]any)) []Change {
	spots := s.spots(h, o.Project)
	if len(spots) == 0 {
		return []Change{{Host: h, Err: ErrNoProject}}
	}
	var all []Change
	for _, p := range spots {
		c := Change{Host: h, Path: p.path, spot: p}
		if entries := c.open(); c.Err == nil {
			plan(&c, entries)
		}
		if c.Err == nil && !o.Project {
			c.steps = s.throughProgram(&c)
		}
		all = append(all, c)
	}
	return all
}

// open reads c's file.
func (c *Change) open() (entries map[string]map[string]any) {
	c.file, entries, c.Err = c.Host.read(c.spot)
	c.after = c.file.Bytes
	return entries
}

// put plans that want is the only entry of its login.
func (c *Change) put(there []found, want Command, o Options) {
	name, entry, does := want.Name(), c.Host.Entry(want), "adds "+want.Name()
	for _, f := range there {
		c.had = c.had || f.name == name
		switch {
		case f.name != name && (f.state == StateBroken || f.state == StateDuplicate):
			c.remove(f)
		case f.name != name:
		case f.state == StateForeign && !o.Replace:
			c.Err = ErrForeign
			return
		case f.state == StateOurs:
			entry = nil
		case f.state == StateStale || f.state == StateDifferent:
			entry, does = merge(c.Host.Entry(want.keeping(f.values)), f.values), "corrects "+name+": "+f.detail
		default:
			does = "replaces " + name + ": " + f.detail
		}
	}
	if entry == nil || c.Err != nil {
		return
	}
	if c.Host.needs && !c.file.Exists {
		c.Err = ErrNeedsFile
		return
	}
	c.Does = append(c.Does, does)
	c.name, c.entry = name, entry
	c.edit(c.set)
}

// take plans that our entries go.
func (c *Change) take(there []found, profile string) {
	for _, f := range there {
		if f.profile != "" && (profile == "" || f.profile == profile) {
			c.remove(found{name: f.name, detail: "it starts payu-mcp"})
		}
	}
}

func (c *Change) remove(f found) {
	c.Does = append(c.Does, "removes "+f.name+": "+f.detail)
	c.gone = append(c.gone, f.name)
	c.edit(c.without(f.name))
}

func (c *Change) set(b []byte) ([]byte, error) {
	return edit.Set(c.Host.format, b, c.Host.at(c.name), c.entry)
}

func (c *Change) without(name string) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) { return edit.Remove(c.Host.format, b, c.Host.at(name)) }
}

// edit makes one edit after the other, until one is refused.
func (c *Change) edit(how func([]byte) ([]byte, error)) {
	if c.Err == nil {
		c.after, c.Err = how(c.after)
	}
}
