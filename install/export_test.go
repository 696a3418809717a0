package install

import "path/filepath"

// Elsewhere are the other files of h that count where they are there, for the
// documents: each as its pattern, with the folders of s.
func (s System) Elsewhere(h Host) []string {
	var all []string
	for _, p := range h.places {
		if p.extra && (p.on == "" || (p.on == "windows") == (s.GOOS == "windows")) {
			all = append(all, filepath.Join(s.path(p.base), filepath.FromSlash(p.files[0])))
		}
	}
	return all
}

// Member is where the servers are in h's file.
func (h Host) Member() string { return h.parent[0] }

// NoURL tells that an entry with an address does not work there.
func (h Host) NoURL() bool { return h.noURL }
