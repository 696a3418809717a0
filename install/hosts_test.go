package install_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/install"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s is not what it was (-before +now); go test ./install -update writes it anew\n%s", name, diff)
	}
}

// systems are the three, with a home that is on no computer.
func systems() []install.System {
	none := func(string) string { return "" }
	return []install.System{
		{GOOS: "darwin", Home: "~", Work: "~/shop", Getenv: none},
		{GOOS: "linux", Home: "~", Work: "~/shop", Getenv: none},
		{GOOS: "windows", Home: "~", Work: "~/shop", Getenv: none},
	}
}

// The rows F1 to F22: where the file of each host is on each system.
func TestHosts_paths_golden(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, h := range install.Hosts() {
		fmt.Fprintf(&b, "%s (%s)\n", h.ID, h.Name)
		for _, s := range systems() {
			for _, path := range s.Paths(h, false) {
				fmt.Fprintf(&b, "  %-8s %s\n", s.GOOS, filepath.ToSlash(path))
			}
		}
		for _, path := range systems()[1].Paths(h, true) {
			fmt.Fprintf(&b, "  project  %s\n", filepath.ToSlash(path))
		}
		fmt.Fprintf(&b, "  after    %s\n", h.After)
	}
	golden(t, "paths.golden", b.String())
}

// What each host's file gets, for the usual login and for a profile, and its links.
func TestHosts_entries_golden(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, h := range install.Hosts() {
		for _, c := range []install.Command{
			{Path: "/usr/local/bin/payu-mcp", Profile: "default"},
			{Path: `C:\Program Files\payu-mcp\payu-mcp.exe`, Profile: "shop2"},
		} {
			text, err := h.Snippet(c)
			if err != nil {
				t.Fatalf("%s: %v", h.ID, err)
			}
			fmt.Fprintf(&b, "-- %s, profile %s --\n%s", h.ID, c.Profile, text)
			links, err := h.Links(c)
			if err != nil {
				t.Fatalf("%s: %v", h.ID, err)
			}
			for _, l := range links {
				fmt.Fprintf(&b, "link: %s\n", l)
			}
		}
	}
	golden(t, "entries.golden", b.String())
}

// docs/install.md has the table as it is.
func TestHosts_documentation_sameTable(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../docs/install.md", "<!-- hosts: go test ./install -update -->\n", "<!-- end of hosts -->\n"
	var rows strings.Builder
	rows.WriteString("| `--client` | host | its file | in a project | afterwards |\n| --- | --- | --- | --- | --- |\n")
	for _, h := range install.Hosts() {
		var project string
		for _, path := range systems()[0].Paths(h, true) {
			project = "`" + strings.TrimPrefix(filepath.ToSlash(path), "~/shop/") + "`"
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s | %s | %s |\n", h.ID, h.Name, where(h), project, h.After)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), begin)
	was, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+rows.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(was, rows.String()); diff != "" {
		t.Errorf("the table of %s is not that of the program; go test ./install -update writes it anew\n%s", file, diff)
	}
}

// where is a host's usual file on each system, once if it is the same.
func where(h install.Host) string {
	var all []string
	for i, name := range []string{"macOS", "Linux", "Windows"} {
		path := filepath.ToSlash(systems()[i].Paths(h, false)[0])
		path = strings.Replace(path, "~/AppData/Roaming", "%APPDATA%", 1)
		all = append(all, name+": `"+path+"`")
		if i == 2 && strings.HasSuffix(all[0], all[1][len("Linux"):]) {
			all = []string{"`" + strings.TrimPrefix(all[0], "macOS: `"), all[2]}
			if strings.HasSuffix(all[1], all[0]) {
				all = all[:1]
			}
		}
	}
	return strings.Join(all, "; ")
}
