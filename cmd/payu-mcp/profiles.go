package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/logfile"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// A profile is one sign-in at one endpoint, with its own credential, catalogue,
// era, locks and log; several merchants or endpoints have one each. What `status`
// says of all of them stands here.

// statusProfile is one of them. A profile that has signed in at two endpoints is
// there twice.
type statusProfile struct {
	Profile   string    `json:"profile"`
	Endpoint  string    `json:"endpoint"`
	SignedIn  bool      `json:"signed_in"`
	State     string    `json:"state"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Log       string    `json:"log"`
}

// listProfiles fills the profiles of the report: the one that a profile or an
// endpoint was named for, or all that the state folder knows, the report's own
// first.
func (r *statusReport) listProfiles(o *options) error {
	r.Profiles = []statusProfile{{r.Profile, r.Endpoint, r.SignedIn, r.State, r.Token.ExpiresAt, r.Log.File}}
	if o.namesOne() {
		return nil
	}
	stored, err := keychain.List(o.stateDir)
	if err != nil {
		return err
	}
	found := r.Profiles[:1:1]
	add := func(p statusProfile) {
		same := func(q statusProfile) bool { return q.Profile == p.Profile && q.Endpoint == p.Endpoint }
		if !slices.ContainsFunc(found, same) {
			found = append(found, p)
		}
	}
	for _, name := range rememberedProfiles(o.stateDir) {
		add(profileOf(o.stateDir, name))
	}
	for _, s := range stored {
		switch {
		case s.Header != nil:
			add(loginOf(o.stateDir, s.Header.Profile, s.Header.Resource))
		case !slices.ContainsFunc(found, func(p statusProfile) bool { return keychain.Path(o.stateDir, p.Profile, p.Endpoint) == s.Path }):
			r.Notes = append(r.Notes, fmt.Sprintf("nobody can tell whose %s is: %v", s.Path, s.Err))
		}
	}
	slices.SortStableFunc(found[1:], func(a, b statusProfile) int {
		return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(a.Endpoint, b.Endpoint))
	})
	r.Profiles = found
	return nil
}

// namesOne reports whether the person means one login, and not all.
func (o *options) namesOne() bool { return o.origin["profile"] != "" || o.origin["url"] != "" }

// rememberedProfiles lists the profiles that `login` has written something for.
func rememberedProfiles(stateDir string) []string {
	files, err := filepath.Glob(settingsFile(escapeGlob(stateDir), "*"))
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "profile-"), ".json")
		if isProfileName(name) {
			names = append(names, name)
		}
	}
	return names
}

// escapeGlob makes a folder's name mean itself in a pattern. On Windows it cannot
// be escaped, and such names are rare.
func escapeGlob(dir string) string {
	if os.PathSeparator != '/' {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// profileOf looks up the login of a profile at the endpoint that it remembers.
func profileOf(stateDir, name string) statusProfile {
	saved, err := loadSettings(stateDir, name)
	p := loginOf(stateDir, name, cmp.Or(saved.URL, auth.PayUEndpoint))
	if err != nil {
		p.State = "cannot be read: " + err.Error()
	}
	return p
}

// loginOf looks a login up, as far as its clear header tells.
func loginOf(stateDir, name, endpoint string) statusProfile {
	p := statusProfile{Profile: name, Endpoint: endpoint, State: "signed out", Log: logfile.Path(stateDir, name)}
	h, _, err := keychain.Peek(stateDir, name, endpoint)
	var s auth.Summary
	if err == nil && h != nil {
		err = json.Unmarshal(h.Public, &s)
	}
	switch {
	case err != nil:
		p.State = "cannot be read: " + err.Error()
	case h != nil:
		p.SignedIn, p.State, p.ExpiresAt = s.SignedIn, state(s), s.Expiry
	}
	return p
}

// anySignedIn is what the exit code of status is about.
func (r *statusReport) anySignedIn() bool {
	return slices.ContainsFunc(r.Profiles, func(p statusProfile) bool { return p.SignedIn })
}
