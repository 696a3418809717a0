package install

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

// Claude Code keeps its servers in ~/.claude.json, together with much that it
// writes while it runs. So its own program is asked to make the change, where
// there is one (HOSTS R1); else, and if that fails, the file is edited as any other.

const (
	claudeCode   = "claude-code"
	claudeLimit  = 30 * time.Second // for one command line of it: measured 0.3 s
	claudeRemove = "remove"
)

// throughProgram are the command lines of the host's own program that make c.
func (s System) throughProgram(c *Change) [][]string {
	if c.Host.ID != claudeCode || s.Run == nil || s.LookPath == nil || c.Empty() || !plainNames(append(c.gone, c.name)) {
		return nil
	}
	program, err := s.LookPath("claude")
	if err != nil || slices.Contains([]string{".cmd", ".bat"}, strings.ToLower(filepath.Ext(program))) {
		return nil // a batch file reads its arguments in its own way
	}
	var steps [][]string
	gone := c.gone
	if c.had && c.entry != nil {
		gone = append(slices.Clone(gone), c.name) // it does not replace
	}
	for _, name := range gone {
		steps = append(steps, []string{program, "mcp", claudeRemove, "-s", "user", name})
	}
	if c.entry == nil {
		return steps
	}
	command, ok := onlyCommand(c.entry)
	if !ok {
		return nil // what the person added would get lost, or stand in an argument list
	}
	return append(steps, slices.Concat([]string{program, "mcp", "add", "-s", "user", c.name, "--"}, command))
}

// plainNames: none can be taken for an option.
func plainNames(names []string) bool {
	plain := regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)?$`)
	return !slices.ContainsFunc(names, func(n string) bool { return !plain.MatchString(n) })
}

// onlyCommand is the command line of an entry that has nothing else.
func onlyCommand(e edit.Entry) (command []string, ok bool) {
	for _, m := range e {
		switch m.Key {
		case "command", "args":
			command = append(command, stringsOf(m.Value)...)
		case "type":
		default:
			if !isEmpty(m.Value) {
				return nil, false
			}
		}
	}
	return command, len(command) > 0
}

// throughSteps runs the command lines and looks whether the file says what it
// should.
func (s System) throughSteps(ctx context.Context, c Change) bool {
	for _, step := range c.steps {
		ctx, cancel := context.WithTimeout(ctx, claudeLimit)
		_, err := s.Run(ctx, step[0], step[1:]...)
		cancel()
		if err != nil {
			return false // its words are not ours to show; the file is edited instead
		}
	}
	_, now, err := c.Host.read(c.spot)
	if err != nil || slices.ContainsFunc(c.gone, func(name string) bool { return now[name] != nil && name != c.name }) {
		return false
	}
	return !slices.ContainsFunc(c.entry, func(m edit.Member) bool { return !sameValue(now[c.name][m.Key], m.Value) })
}

// Steps are the command lines of the host's own program that will make the
// change; none where the file is edited.
func (c *Change) Steps() []string {
	var lines []string
	for _, step := range c.steps {
		lines = append(lines, strings.Join(append([]string{filepath.Base(step[0])}, step[1:]...), " "))
	}
	return lines
}
