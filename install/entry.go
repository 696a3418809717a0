package install

import (
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

// Command is what a host shall start: this program, for one profile.
type Command struct {
	Path    string   // absolute and lasting: see StablePath
	Profile string   // of the login; default for the usual one
	Brakes  []string // options that keep the host from tools, such as --read-only
}

const (
	entryName      = "payu"
	defaultProfile = "default"
)

// Name is what the entry is called: payu, or payu-X for profile X, so that one
// host can have several.
func (c Command) Name() string {
	if c.Profile == "" || c.Profile == defaultProfile {
		return entryName
	}
	return entryName + "-" + c.Profile
}

// Args are the program's arguments; never nil.
func (c Command) Args() []string {
	args := []string{}
	if c.Profile != "" && c.Profile != defaultProfile {
		args = append(args, "--profile", c.Profile)
	}
	return append(args, c.Brakes...)
}

// profileOf is the profile that an entry's name stands for.
func profileOf(name string) string {
	if profile, ok := strings.CutPrefix(name, entryName+"-"); ok {
		return profile
	}
	return defaultProfile
}

// Entry is what h's file gets.
func (h Host) Entry(c Command) edit.Entry { return h.shape(c, c.Name()) }

// Snippet is what a person pastes into an empty file of h.
func (h Host) Snippet(c Command) (string, error) {
	b, err := edit.Snippet(h.format, h.at(c.Name()), h.Entry(c))
	return string(b), err
}

// plain is the shape that most hosts share.
func plain(c Command, _ string) edit.Entry {
	return edit.Entry{{Key: "command", Value: c.Path}, {Key: "args", Value: c.Args()}}
}

// typed is the plain one with a type before it and other members after it.
func typed(kind string, more ...edit.Member) func(Command, string) edit.Entry {
	return func(c Command, name string) edit.Entry {
		return slices.Concat(edit.Entry{{Key: "type", Value: kind}}, plain(c, name), more)
	}
}

// enabled is the plain one, switched on (Cline).
func enabled(c Command, name string) edit.Entry {
	return append(plain(c, name), edit.Member{Key: "disabled", Value: false})
}

// withVariables lets Codex pass on what it would strip (HOSTS H15): the proxy, and
// what is set for one run of this program. What login was told is in the profile.
func withVariables(c Command, name string) edit.Entry {
	return append(plain(c, name), edit.Member{Key: "env_vars", Value: []string{
		"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
		"PAYU_MCP_BROWSER", "PAYU_MCP_CA_FILE", "PAYU_MCP_LOG_FILE", "PAYU_MCP_LOG_LEVEL", "PAYU_MCP_PROXY",
		"PAYU_MCP_STATE_DIR", "PAYU_MCP_STORE", "PAYU_MCP_URL",
	}})
}

// opencode's command is one list.
func commandList(c Command, _ string) edit.Entry {
	return edit.Entry{
		{Key: "type", Value: "local"},
		{Key: "command", Value: slices.Concat([]string{c.Path}, c.Args())},
		{Key: "environment", Value: map[string]string{}},
		{Key: "enabled", Value: true},
	}
}

// goose has words of its own; timeout is in seconds and covers a sign-in.
func extension(c Command, name string) edit.Entry {
	return edit.Entry{
		{Key: "name", Value: name},
		{Key: "description", Value: "PayU"},
		{Key: "type", Value: "stdio"},
		{Key: "enabled", Value: true},
		{Key: "cmd", Value: c.Path},
		{Key: "args", Value: c.Args()},
		{Key: "envs", Value: map[string]string{}},
		{Key: "timeout", Value: 300},
	}
}

// named is an element of a list (Continue).
func named(c Command, name string) edit.Entry {
	return append(edit.Entry{{Key: "name", Value: name}}, plain(c, name)...)
}
