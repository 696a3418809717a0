package install_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/install"
)

// docs/clients has a page for each host. What the table of this package says
// about it is written by this test; the rest of a page by a person.

const (
	clients    = "../docs/clients"
	factsBegin = "<!-- facts: UPDATE_DOCS=1 go test -run TestClients ./install -->\n"
	factsEnd   = "<!-- end of facts -->\n"
	example    = "/usr/local/bin/payu-mcp"
)

func TestClients_pages_haveTheFactsOfTheTable(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{"README": true}
	for _, h := range install.Hosts() {
		ids[h.ID] = true
		page := filepath.Join(clients, h.ID+".md")
		sameFacts(t, page, facts(t, h))
		text := document(t, page)
		for _, heading := range []string{"# " + h.Name + "\n", "\n## First use\n", "\n## Known traps\n"} {
			if !strings.Contains(text, heading) {
				t.Errorf("%s has no heading %q", page, strings.TrimSpace(heading))
			}
		}
	}
	pages, err := filepath.Glob(filepath.Join(clients, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if id := strings.TrimSuffix(filepath.Base(page), ".md"); !ids[id] {
			t.Errorf("%s is about no host of the table", page)
		}
	}
}

func TestClients_index_hasEachHost(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| host | `--client` | its file is | its servers are in | afterwards |\n| --- | --- | --- | --- | --- |\n")
	for _, h := range install.Hosts() {
		fmt.Fprintf(&b, "| [%s](%s.md) | `%s` | %s | `%s` | %s |\n", h.Name, h.ID, h.ID, strings.ToUpper(language(h)), h.Member(), h.After)
	}
	sameFacts(t, filepath.Join(clients, "README.md"), b.String())
}

// facts are what the table says about h.
func facts(t *testing.T, h install.Host) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "## Connect\n\n```sh\npayu-mcp install --client %s\n```\n\n", h.ID)
	fmt.Fprintf(&b, "It shows the change, asks, offers the sign-in, and writes. Then: %s\n", h.After)
	if project := systems()[1].Paths(h, true); len(project) > 0 {
		fmt.Fprintf(&b, "For the project in the current folder only, in `%s`: `payu-mcp install --client %s --where project`.\n", strings.TrimPrefix(filepath.ToSlash(project[0]), "~/shop/"), h.ID)
	}
	if h.NoURL() {
		fmt.Fprintf(&b, "An entry with PayU's address (`\"url\": \"https://api.payu.in/mcp\"`) does not work in %s; `install` replaces it.\n", h.Name)
	}
	b.WriteString("\n## By hand\n\n| system | file |\n| --- | --- |\n")
	b.WriteString(files(h))
	command := install.Command{Path: example, Profile: "default"}
	snippet, err := h.Snippet(command)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "\n`payu-mcp install --print --client %s` prints this, with the full path of your payu-mcp in it. If the file has servers already, the\npart called `payu` goes beside them.\n\n```%s\n%s```\n", h.ID, language(h), snippet)
	links, err := h.Links(command)
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		scheme, _, _ := strings.Cut(link, ":")
		fmt.Fprintf(&b, "\nIt also prints a link (`%s:...`): open it, and %s asks whether you want the entry.\n", scheme, h.Name)
	}
	fmt.Fprintf(&b, "\n## Check and remove\n\n```sh\npayu-mcp install --list --client %[1]s   # found? which file? what is in it?\npayu-mcp doctor                       # what is wrong, and on whose side\npayu-mcp uninstall --client %[1]s\n```\n", h.ID)
	return b.String()
}

// files are the rows with h's files: the usual ones, then those that count only
// where they are there.
func files(h install.Host) string {
	row := func(system, path string) string { return fmt.Sprintf("| %s | `%s` |\n", system, path) }
	var b strings.Builder
	computers := systems()
	mac, linux, windows := computers[0].Paths(h, false)[0], computers[1].Paths(h, false)[0], computers[2].Paths(h, false)[0]
	if mac == linux {
		b.WriteString(row("macOS, Linux", filepath.ToSlash(mac)))
	} else {
		b.WriteString(row("macOS", filepath.ToSlash(mac)) + row("Linux", filepath.ToSlash(linux)))
	}
	b.WriteString(row("Windows", onWindows(windows)))
	for i, system := range []string{"macOS, Linux", "", "Windows"} {
		for _, path := range computers[i].Elsewhere(h) {
			switch {
			case system == "Windows":
				b.WriteString(row(system+", if it is there", onWindows(path)))
			case system != "":
				b.WriteString(row(system+", if it is there", filepath.ToSlash(path)))
			}
		}
	}
	return b.String()
}

// onWindows writes a path with the variables that Windows' own programs understand.
func onWindows(path string) string {
	return strings.NewReplacer(`~/AppData/Roaming/`, `%APPDATA%\`, `~/AppData/Local/`, `%LOCALAPPDATA%\`, `~/`, `%USERPROFILE%\`, `/`, `\`).Replace(filepath.ToSlash(path))
}

// language is the one of h's file, in the words of a fence.
func language(h install.Host) string {
	return strings.TrimPrefix(filepath.Ext(systems()[1].Paths(h, false)[0]), ".")
}

func document(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// sameFacts compares what stands between the marks of a document with what should,
// or writes it there.
func sameFacts(t *testing.T, file, want string) {
	t.Helper()
	before, rest, ok := strings.Cut(document(t, file), factsBegin)
	is, after, ok2 := strings.Cut(rest, factsEnd)
	if !ok || !ok2 {
		t.Errorf("%s has no place for the facts", file)
		return
	}
	if is == want {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Errorf("%s is not what the table says (-document +table); write it anew: UPDATE_DOCS=1 go test -run TestClients ./install\n%s", file, cmp.Diff(is, want))
		return
	}
	if err := os.WriteFile(file, []byte(before+factsBegin+want+factsEnd+after), 0o600); err != nil {
		t.Fatal(err)
	}
}
