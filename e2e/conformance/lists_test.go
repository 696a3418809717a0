package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// list is one of the suite's frozen lists, run with one kind of host.
type list struct {
	version   string // of the protocol
	host      string
	scenarios []string
}

func (l list) name() string { return l.version + "-" + l.host }

// login tells whether payu-mcp meets the server before the host does. A modern
// host needs it: an unknown server that asks for a sign-in is not taken for a
// modern one (RELAY M5). A legacy host learns of a modern server by the refusal
// of its initialize (H17), which servers without a sign-in of this suite do not
// give: they are for hosts that know their revision.
func (l list) login(scenario string) bool {
	return l.host == modern || l.version == modernVersion && !strings.HasPrefix(scenario, "auth/")
}

// lists are what is run. How many scenarios each holds is known, so that an update
// of the suite is noticed.
func lists(suite string) ([]list, error) {
	old, err := frozen(suite, legacyVersion, 18)
	if err != nil {
		return nil, err
	}
	newest, err := frozen(suite, modernVersion, 32)
	if err != nil {
		return nil, err
	}
	return []list{
		{legacyVersion, legacy, old},
		{modernVersion, modern, newest},
		{modernVersion, legacy, newest},
		{"2025-03-26", legacy, []string{"auth/2025-03-26-oauth-metadata-backcompat", "auth/2025-03-26-oauth-endpoint-fallback"}},
	}, nil
}

// frozen reads the client scenarios that a revision requires. The file is YAML of
// the plainest kind: a key, and a list of words.
func frozen(suite, version string, want int) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(suite, "requirements", version+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("reading the list of %s: %w", version, err)
	}
	var found []string
	inside := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		item, isItem := strings.CutPrefix(line, "  - ")
		switch {
		case line == "client:":
			inside = true
		case inside && isItem:
			found = append(found, item)
		case line != "":
			inside = false
		}
	}
	if len(found) != want {
		return nil, fmt.Errorf("the list of %s has %d client scenarios, not %d", version, len(found), want)
	}
	return found, nil
}
