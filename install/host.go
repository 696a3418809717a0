package install

import (
	"path/filepath"
	"slices"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

// Host is a row of the table: one program that starts MCP servers.
type Host struct {
	// ID is what --client takes; Name is what people call the program.
	ID, Name string
	// After is what a person does for the host to notice a new entry: a sentence.
	After string

	places   []place     // where its file is, for one person
	project  []string    // its file in a project: the first that is there, else the first; none where it has none
	programs []string    // whose presence on PATH shows that the host is there
	format   edit.Format // of the file
	parent   []string    // the member that holds the servers
	list     bool        // that member is a sequence
	shape    func(c Command, name string) edit.Entry
	noURL    bool // an entry with an address does not work there: it is a broken one
	needs    bool // a file that holds nothing but servers is not valid: it has to be there
	links    []link
}

// place is a folder with a host's file. A host has several where it comes in
// several forms; those that are there are all used.
type place struct {
	on    string   // windows, or unix for all others; "" for all
	base  string   // the folder; may hold one *
	files []string // below it; the first that is there, else the first
	marks []string // what shows that the host is there, if it is not the folder
	extra bool     // used only if it is there
	store bool     // of the Windows Store's package, which keeps its own files (F24)
}

// spot is a place on this computer.
type spot struct {
	path   string
	within string // the folder that no link may lead out of (HOSTS E4)
	found  bool   // the host is there
	extra  bool
	store  bool
}

// Hosts returns the table, in the order in which it is shown.
func Hosts() []Host { return slices.Concat(desktops(), editors(), plugIns(), terminals()) }

// Find returns the host with an id.
func Find(id string) (Host, bool) {
	hosts := Hosts()
	i := slices.IndexFunc(hosts, func(h Host) bool { return h.ID == id })
	if i < 0 {
		return Host{}, false
	}
	return hosts[i], true
}

// Installed tells whether h seems to be on this computer: its folder is there,
// or its program is on PATH.
func (s System) Installed(h Host) bool {
	return s.hasProgram(h.programs) || slices.ContainsFunc(s.candidates(h), func(p spot) bool { return p.found })
}

// spots are the files of h that count: in those forms of it that are there, or
// the usual one. With inProject it is the project's file, or none.
func (s System) spots(h Host, inProject bool) []spot {
	if inProject {
		if len(h.project) == 0 || s.Work == "" {
			return nil
		}
		path := s.fileIn(s.Work, h.project)
		return []spot{{path: path, within: s.Work, found: exists(path)}}
	}
	all := s.candidates(h)
	if found := slices.DeleteFunc(slices.Clone(all), func(p spot) bool { return !p.found }); len(found) > 0 {
		return found
	}
	return slices.DeleteFunc(all, func(p spot) bool { return p.extra })[:1]
}

func (s System) candidates(h Host) []spot {
	var all []spot
	for _, p := range h.places {
		if p.on != "" && (p.on == "windows") != (s.GOOS == "windows") {
			continue
		}
		for _, base := range s.folders(p) {
			all = append(all, spot{path: s.fileIn(base, p.files), within: s.Home, found: s.marked(p, base), extra: p.extra, store: p.store})
		}
	}
	return all
}

// folders are those that a place's pattern names.
func (s System) folders(p place) []string {
	base := s.path(p.base)
	if !p.store {
		return []string{base}
	}
	found, err := filepath.Glob(base)
	if err != nil {
		return nil // a bad pattern: the home folder has brackets in it
	}
	return found
}

func (s System) fileIn(base string, files []string) string {
	for _, name := range files {
		if path := filepath.Join(base, filepath.FromSlash(name)); exists(path) {
			return path
		}
	}
	return filepath.Join(base, filepath.FromSlash(files[0]))
}

func (s System) marked(p place, base string) bool {
	if len(p.marks) == 0 {
		return exists(base)
	}
	return slices.ContainsFunc(p.marks, func(mark string) bool { return exists(s.path(mark)) })
}

// at is where an entry called name is in h's file.
func (h Host) at(name string) edit.Place {
	return edit.Place{Parent: h.parent, Name: name, List: h.list}
}

// Paths are the files of h that count: one for each edition that is there, or the
// usual one; none for a project where h has no file for one.
func (s System) Paths(h Host, inProject bool) []string {
	var paths []string
	for _, p := range s.spots(h, inProject) {
		paths = append(paths, p.path)
	}
	return paths
}
