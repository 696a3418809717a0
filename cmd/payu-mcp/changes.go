package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// A model acts on what the server says about its tools. So a tool that may change
// something, and is described in another way than it was, is told to the person:
// once in the log, and by `status` until it is acknowledged or somebody signs in
// anew (docs/policy.md).

// changedTool is one such tool. Nothing of what the server says about it stands
// here but its name, and that only if it is plain.
type changedTool struct {
	Name string    `json:"name"`
	What []string  `json:"changed"` // in our words
	At   time.Time `json:"at"`
	Sum  string    `json:"sum"` // stands for how it is described now
	Seen bool      `json:"seen,omitempty"`
}

const (
	// maxChanged is how many are kept; the newest count.
	maxChanged = 100
	// maxChangesFile bounds the file, in bytes.
	maxChangesFile = 256 << 10
	// unnamed stands for a name that is no plain one.
	unnamed = "(a name that cannot be shown)"
)

// changedTools keeps them from one process to the next, in one file per profile
// and endpoint. Of two processes that write at once one may be forgotten: both
// have told their log.
type changedTools struct {
	path string
	log  *slog.Logger
}

func newChangedTools(stateDir, profile, endpoint string, log *slog.Logger) changedTools {
	return changedTools{path: filepath.Join(stateDir, "changed-tools-"+stateName(stateDir, profile, endpoint)+".json"), log: log}
}

// changedToolsOf is for commands that have no parts, and log nothing.
func changedToolsOf(o *options) changedTools {
	return newChangedTools(o.stateDir, o.profile, cmp.Or(o.login.URL, auth.PayUEndpoint), slog.New(slog.DiscardHandler))
}

// load returns what is kept. A file that cannot be read counts as none.
func (c changedTools) load() []changedTool {
	var all []changedTool
	b, _, err := privatefile.Read(c.path, maxChangesFile)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil
	}
	for i := range all { // whoever wrote it
		all[i].Name = shownTool(all[i].Name)
		all[i].What = slices.DeleteFunc(all[i].What, func(what string) bool { return !policy.Plain(strings.ReplaceAll(what, " ", "_")) })
	}
	return all
}

func (c changedTools) save(all []changedTool) error {
	b, err := json.MarshalIndent(all[max(0, len(all)-maxChanged):], "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the changed tools: %w", err)
	}
	if err := atomicfile.Write(c.path, append(b, '\n'), 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keeping the changed tools: %w", err)
	}
	return nil
}

// note is bridge.Config.Changed.
func (c changedTools) note(changes []policy.Change) {
	all, now := c.load(), time.Now().Round(0)
	var fresh []changedTool
	for _, x := range changes {
		t := changedTool{Name: shownTool(x.Name), What: x.What, At: now, Sum: x.Sum}
		if slices.ContainsFunc(all, func(o changedTool) bool { return o.Name == t.Name && o.Sum == t.Sum }) {
			continue
		}
		all = slices.DeleteFunc(all, func(o changedTool) bool { return o.Name == t.Name && t.Name != unnamed })
		all, fresh = append(all, t), append(fresh, t)
	}
	if fresh == nil {
		return
	}
	c.log.Warn("the server describes tools that may change something in another way than before; see payu-mcp status",
		slog.String("tools", summary(fresh)))
	if err := c.save(all); err != nil {
		c.log.Warn("status will not show the changed tools", slog.Any("error", err))
	}
}

// acknowledge notes that a person has seen them all.
func (c changedTools) acknowledge() error {
	all := c.load()
	if len(all) == 0 {
		return nil
	}
	for i := range all {
		all[i].Seen = true
	}
	return c.save(all)
}

// unseen returns those that nobody has acknowledged.
func (c changedTools) unseen() []changedTool {
	return slices.DeleteFunc(c.load(), func(t changedTool) bool { return t.Seen })
}

// report tells the person who has just signed in, and begins anew.
func (c changedTools) report(w io.Writer) error {
	for _, t := range c.unseen() {
		if _, err := fmt.Fprintf(w, "  changed    %s\n", t.text()); err != nil {
			return fmt.Errorf("telling of changed tools: %w", err)
		}
	}
	return c.drop()
}

func (c changedTools) drop() error {
	if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting the changed tools: %w", err)
	}
	return nil
}

func (t changedTool) text() string {
	return fmt.Sprintf("the tool %s: its %s, seen %s", t.Name, strings.Join(t.What, " and "), t.At.Local().Format(time.DateTime))
}

// summary names the first few.
func summary(all []changedTool) string {
	const most = 10
	var names []string
	for _, t := range all[:min(len(all), most)] {
		names = append(names, t.Name+" ("+strings.Join(t.What, ", ")+")")
	}
	if len(all) > most {
		names = append(names, fmt.Sprintf("and %d more", len(all)-most))
	}
	return strings.Join(names, "; ")
}

func shownTool(name string) string {
	if !policy.Plain(name) {
		return unnamed
	}
	return name
}
