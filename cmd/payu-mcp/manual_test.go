package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// payuHelp runs the command line and returns what it prints.
func payuHelp(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := newRootCmd(env{args: args, getenv: func(string) string { return "" }})
	cmd.SetOut(&out)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out.String()
}

// manualPages writes the manual and returns its pages by name.
func manualPages(t *testing.T, epoch string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	cmd := newRootCmd(env{args: []string{"manual", dir}, getenv: func(string) string { return epoch }})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[f.Name()] = string(data)
	}
	return pages
}

// allCommands are those that --help tells of, from the top down.
func allCommands(cmd *cobra.Command) []*cobra.Command {
	found := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			found = append(found, allCommands(c)...)
		}
	}
	return found
}

func TestManual_everyCommand_hasItsPage(t *testing.T) {
	t.Parallel()
	pages := manualPages(t, "1790000000")
	root := newRootCmd(env{args: []string{"help"}})
	root.InitDefaultCompletionCmd()
	want := 0
	for _, cmd := range allCommands(root) {
		want++
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		page, ok := pages[name+".1"]
		if !ok {
			t.Errorf("no page for %s", cmd.CommandPath())
			continue
		}
		help := payuHelp(t, append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		for _, option := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--[a-z-]+`).FindAllString(help, -1) {
			if !strings.Contains(page, escape(strings.TrimSpace(option))) {
				t.Errorf("%s: the page does not have %s", name, option)
			}
		}
		for _, line := range strings.Split(help, "\n\n")[:1] {
			if first, _, _ := strings.Cut(line, "\n"); !strings.Contains(page, escape(first)) {
				t.Errorf("%s: the page does not say %q", name, first)
			}
		}
	}
	if len(pages) != want {
		t.Errorf("%d pages for %d commands", len(pages), want)
	}
}

func TestManual_date_isTheSource(t *testing.T) {
	t.Parallel()
	first, second := manualPages(t, "1790000000"), manualPages(t, "1790000000")
	for name, page := range first {
		if page != second[name] || !strings.HasPrefix(page, ".TH "+strings.ToUpper(strings.TrimSuffix(name, ".1"))+` 1 "2026-09-21" "payu-mcp devel" "User Commands"`+"\n") {
			t.Errorf("%s begins with %.100q, or differs", name, page)
		}
	}
	cmd := newRootCmd(env{args: []string{"manual", t.TempDir()}, getenv: func(string) string { return "today" }})
	if err := cmd.ExecuteContext(t.Context()); err == nil {
		t.Error("a date that is no number was taken")
	}
}

// The root page tells of every exit code, and docs/login.md of the same ones.
func TestTopics_exitCodes_areThoseOfTheSource(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("exit.go")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("../../docs/login.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(docs), "## Exit codes\n")
	table, _, _ = strings.Cut(table, "\n## ")
	want := codes(`(?m)^\texit\w+ += (\d+)`, string(source))
	if got := codes(`(?m)^  (\d+) `, payuHelp(t, "help", "exit-status")); len(want) < 8 || !slices.Equal(got, want) {
		t.Errorf("help has the codes %v, the source %v", got, want)
	}
	if got := codes(`(?m)^\| (\d+) \|`, table); !slices.Equal(got, want) {
		t.Errorf("docs/login.md has the codes %v, the source %v", got, want)
	}
}

func codes(pattern, text string) []int {
	var found []int
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil {
			found = append(found, n)
		}
	}
	return found
}

// A help text may hold anything; none of it is taken for a request to the formatter.
func TestRoff_text_isNoMacro(t *testing.T) {
	t.Parallel()
	p := &roff{}
	p.section("DESCRIPTION")
	p.text("One.\n.so /etc/passwd\n'quoted' --x \\n\n\n  a-b  what it is\n  c    .more\n\n  as is\n    it stands\nafter\n")
	want := ".SH \"DESCRIPTION\"\nOne.\n\\&.so /etc/passwd\n\\&'quoted' \\-\\-x \\en\n" +
		".TP\n.B \"a\\-b\"\nwhat it is\n.TP\n.B \"c\"\n\\&.more\n" +
		".PP\n.nf\nas is\nit stands\n.fi\n.PP\nafter\n"
	if p.String() != want {
		t.Errorf("got %s\nwant %s", p, want)
	}
}

// The help is read at a terminal and in man: a link of the documents is noise there.
func TestHelp_links_none(t *testing.T) {
	t.Parallel()
	root := newRootCmd(env{getenv: func(string) string { return "" }})
	for _, c := range allCommands(root) {
		help := payuHelp(t, append(strings.Fields(c.CommandPath())[1:], "--help")...)
		if at := strings.Index(help, "]("); at >= 0 {
			t.Errorf("%s --help has a link: ...%s", c.CommandPath(), help[max(0, at-30):min(len(help), at+30)])
		}
	}
}
