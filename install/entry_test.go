package install_test

import (
	"slices"
	"testing"

	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/install/edit"
)

// E8: an entry holds this program's absolute path, its arguments and words that
// are the same for everybody; nothing of the environment.
//
//oauth:row X29 install/entry.go "{Key: \"command\", Value: c.Path}, {Key: \"args\", Value: c.Args()}" => "{Key: \"command\", Value: \"payu-mcp\"}, {Key: \"args\", Value: c.Args()}"
//oauth:row X29 install/entry.go "{Key: \"environment\", Value: map[string]string{}}," => "{Key: \"environment\", Value: map[string]string{`HTTPS_PROXY`: `http://user:password@proxy.example:8080`}},"
func TestEntry_everyHost_fixedStringsOnly(t *testing.T) {
	t.Setenv("PAYU_MCP_CLIENT_SECRET", "the-secret-of-a-shop")
	t.Setenv("HTTPS_PROXY", "http://user:password@proxy.example:8080")
	fixed := []string{"stdio", "local", "*", "PayU"}
	for _, h := range install.Hosts() {
		for _, c := range []install.Command{{Path: "/opt/payu-mcp"}, {Path: "/opt/payu-mcp", Profile: "shop2"}} {
			allowed := slices.Concat(fixed, c.Args(), []string{c.Path, c.Name()})
			commands := 0
			for _, m := range h.Entry(c) {
				if m.Key == "env_vars" {
					continue // names, which the golden file holds
				}
				for _, s := range stringsIn(m) {
					if !slices.Contains(allowed, s) {
						t.Errorf("%s: %q has %q in it", h.ID, m.Key, s)
					}
					if s == c.Path {
						commands++
					}
				}
			}
			if commands != 1 {
				t.Errorf("%s: the program's own path is there %d times", h.ID, commands)
			}
		}
	}
}

// stringsIn are the strings of a member's value, names of variables included.
func stringsIn(m edit.Member) []string {
	switch v := m.Value.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case map[string]string:
		var all []string
		for name, value := range v {
			all = append(all, name, value)
		}
		return all
	}
	return nil
}

func TestCommand_nameAndArgs_byProfile(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string]string{"": "payu", "default": "payu", "shop2": "payu-shop2"} {
		c := install.Command{Path: "/x", Profile: profile}
		if c.Name() != want || (len(c.Args()) == 0) != (want == "payu") || c.Args() == nil {
			t.Errorf("profile %q: %s %q", profile, c.Name(), c.Args())
		}
	}
}
