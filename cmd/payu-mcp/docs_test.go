package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Every command line of the documents and of the help texts is tried. Those of
// payu-mcp are run against a sandbox, in a home of their own in which somebody is
// signed in, and have to end well. Words that are only mentioned, or that a person
// has to fill in, are held against the commands and their options. What others'
// programs are told is looked up as far as it is ours.

// docRule says how command lines are tried that cannot be run as they stand.
type docRule struct {
	lines *regexp.Regexp // of the words behind payu-mcp
	add   string         // an option that makes it run; "": the line is only parsed
	why   string
}

func docRules() []docRule {
	rule := func(lines, add, why string) docRule { return docRule{regexp.MustCompile(lines), add, why} }
	return []docRule{
		rule(`--client (`+strings.Join(otherHosts(), "|")+`)( |$)`, "", "is that of Cursor, Codex and Continue, but for the host's name: one for each kind of file"),
		rule(`^install .*--(print|list|dry-run)`, " ", "runs as it stands"),
		rule(`^(un)?install\b`, "--dry-run", "asks a person, and writes hosts' files"),
		rule(`^logs .*-f`, "", "does not end by itself"),
		rule(`^login .*--(no-browser|code)`, "", "waits for a person with a browser elsewhere"),
		rule(`^login .*(https?://|--proxy|--ca-file)`, "", "goes to another endpoint, or another way"),
		rule(`^demo .*--browser`, "", "opens the person's browser"),
		rule(`^call .*@`, "", "reads a file of the person's"),
	}
}

// otherHosts are those whose pages' lines are not run.
func otherHosts() []string {
	var ids []string
	for _, h := range install.Hosts() {
		if !slices.Contains([]string{"cursor", "codex", "continue"}, h.ID) {
			ids = append(ids, h.ID)
		}
	}
	return ids
}

// otherPrograms are those that the documents use besides; what they are told is
// looked up where it is ours.
func otherPrograms() map[string]func(root string, words []string) error {
	theirs := func(string, []string) error { return nil }
	programs := map[string]func(string, []string) error{"make": makeTarget, "go": goArguments}
	for name := range strings.FieldsSeq("git jq curl claude codex gemini npx npm brew scoop winget apt apt-get dpkg rpm apk " +
		"sha256sum cosign gh diff sort cd echo exit sleep read [ case done fi export for") {
		programs[name] = theirs
	}
	return programs
}

func makeTarget(root string, words []string) error {
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return err
	}
	for _, w := range words[1:] {
		if !strings.Contains(w, "=") && !strings.Contains(string(text), "\n"+w+": ;") {
			return fmt.Errorf("the Makefile has no target %q", w)
		}
	}
	return nil
}

// goArguments looks for the folders that go shall work on.
func goArguments(root string, words []string) error {
	dir, module := root, "github.com/payu-mcp/payu-mcp"
	for i, w := range words {
		w = strings.TrimSuffix(strings.TrimSuffix(w, "/..."), "@latest")
		switch {
		case w == "-C" && i+1 < len(words):
			dir = filepath.Join(root, words[i+1])
		case w == "." || strings.HasPrefix(w, "./"):
		case strings.HasPrefix(w, module):
			w = "." + strings.TrimPrefix(w, module)
		default:
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, w)); w != "-C" && err != nil {
			return fmt.Errorf("there is no folder %s", w)
		}
	}
	return nil
}

// checkDocLine tells what is wrong with a line, without running it.
func checkDocLine(root string, l docLine) error {
	name := l.words[0]
	if name == "payu-mcp" {
		return checkWords(l)
	}
	if check, ok := otherPrograms()[name]; ok {
		return check(root, l.words)
	}
	if strings.Contains(name, "/") && !strings.HasPrefix(name, "/") {
		if info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil || info.IsDir() {
			return fmt.Errorf("there is no script %s", name)
		}
		return nil
	}
	return fmt.Errorf("nothing is known of the program %q; otherPrograms says which there are", name)
}

// parseOnly takes a command line with commands that do nothing.
func parseOnly(args []string) error {
	root := newRootCmd(env{args: args, stdout: os.Stdout, stderr: io.Discard, getenv: func(string) string { return "" }})
	var still func(*cobra.Command)
	still = func(c *cobra.Command) {
		if c.Runnable() {
			c.Run, c.RunE = nil, func(*cobra.Command, []string) error { return nil }
		}
		c.PreRun, c.PreRunE, c.PersistentPreRun, c.PersistentPreRunE = nil, nil, nil, nil
		for _, sub := range c.Commands() {
			still(sub)
		}
	}
	still(root)
	root.SetOut(io.Discard)
	return root.Execute()
}

// checkWords holds a line of payu-mcp against the commands and their options.
func checkWords(l docLine) error {
	args := slices.Clone(l.words[1:])
	if len(args) > 0 && args[0] == "*" { // an option that is mentioned alone
		return anyHas(args[1])
	}
	for i, w := range args {
		if w == "PORT" || w == "N" {
			args[i] = "8765"
		}
		if i > 0 && args[i-1] == "--client" && !docPlaceholder.MatchString(w) {
			for id := range strings.SplitSeq(w, ",") {
				if _, known := install.Find(id); !known {
					return fmt.Errorf("there is no host %s", id)
				}
			}
		}
	}
	err := parseOnly(args)
	if err != nil && l.mention { // what is only named may lack its last word
		err = parseOnly(append(args, "1"))
	}
	return err
}

// anyHas tells whether a command has an option.
func anyHas(option string) error {
	name, _, _ := strings.Cut(strings.TrimPrefix(option, "--"), "=")
	root := newRootCmd(env{args: []string{"help"}, getenv: func(string) string { return "" }})
	for _, c := range append(root.Commands(), root) {
		if c.Flags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil || slices.Contains([]string{"help", "version", "skip"}, name) { // the last one is goreleaser's
			return nil
		}
	}
	return fmt.Errorf("no command has the option --%s", name)
}

// helpTexts are what the commands say of themselves.
func helpTexts() map[string]string {
	found := map[string]string{}
	var add func(*cobra.Command)
	add = func(c *cobra.Command) {
		found[c.CommandPath()+" --help"] = strings.Join([]string{c.Short, c.Long, c.Example, c.Flags().FlagUsages()}, "\n")
		for _, sub := range c.Commands() {
			add(sub)
		}
	}
	add(newRootCmd(env{args: []string{"help"}, getenv: func(string) string { return "" }}))
	return found
}

// allDocLines are the lines of documents and help texts, the same one only once.
func allDocLines(t *testing.T, texts ...map[string]string) []docLine {
	t.Helper()
	seen := map[string]bool{}
	var all []docLine
	for _, group := range texts {
		for name, text := range group {
			lines, err := docLines(name, text)
			if err != nil {
				t.Error(err)
			}
			for _, l := range lines {
				key := strings.Join(l.words, "\x00") + "\x00" + l.stdin + fmt.Sprint(l.mention)
				if !seen[key] {
					seen[key], all = true, append(all, l)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b docLine) int { return strings.Compare(a.String(), b.String()) })
	return all
}

func TestDocs_commandLines_areUnderstood(t *testing.T) {
	t.Parallel()
	for _, l := range allDocLines(t, documents(t, "../.."), helpTexts()) {
		if err := checkDocLine("../..", l); err != nil {
			t.Errorf("%s: %v", l, err)
		}
	}
}

// A document with a mistake of each kind is seen.
func TestDocs_badSample_isSeen(t *testing.T) {
	t.Parallel()
	const good = "```sh\npayu-mcp login --url URL --callback-port PORT | jq . > x # payu-mcp gone\nif make build; then e2e/install.sh; fi\ngo test ./...\n```\n" +
		"`payu-mcp status --json` `payu-mcp login --url` `--read-only` `payu-mcp: error:` payu-mcp knows\n```\npayu-mcp-like text\n```\n"
	bad := map[string]string{
		"command":     "```sh\npayu-mcp instal\n```\n",
		"option":      "```\npayu-mcp login --no-broswer\n```\n",
		"argument":    "```console\n$ payu-mcp status now\nsigned out\n```\n",
		"inner":       "```sh\necho \"x\" $(payu-mcp gone)\n```\n",
		"mention":     "`payu-mcp status --gone`\n",
		"alone":       "`--gone`\n",
		"hint":        "run payu-mcp gone first\n",
		"hint option": "give payu-mcp login --gone\n",
		"host":        "`payu-mcp install --client nobody`\n",
		"target":      "    make nothing  # does it\n",
		"script":      "```sh\ne2e/gone.sh\n```\n",
		"folder":      "```sh\ngo run ./cmd/gone\n```\n",
		"program":     "```sh\nrm -rf x\n```\n",
	}
	for _, l := range allDocLines(t, map[string]string{"good": good}) {
		if err := checkDocLine("../..", l); err != nil {
			t.Errorf("%s: %v", l, err)
		}
	}
	for what, text := range bad {
		found := 0
		for _, l := range allDocLines(t, map[string]string{what: text}) {
			if checkDocLine("../..", l) != nil {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s: %d mistakes were seen, want 1", what, found)
		}
	}
}

// docWorld is a computer on which somebody is signed in at a sandbox.
type docWorld struct {
	url, home string
}

func newDocWorld(t *testing.T) docWorld {
	t.Helper()
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Close() })
	w := docWorld{url: sb.Endpoint(), home: t.TempDir()}
	for file, text := range map[string]string{".cursor/mcp.json": "{}\n", ".continue/config.yaml": "name: mine\nversion: 1.0.0\nschema: v1\n"} {
		path := filepath.Join(w.home, filepath.FromSlash(file))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := w.run(t, w.home, docLine{words: []string{"payu-mcp", "login"}}); code != 0 {
		t.Fatalf("signing in: exit code %d\n%s", code, out)
	}
	return w
}

// run runs a line in a home, and returns what it printed.
func (w docWorld) run(t *testing.T, home string, l docLine) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.words[0], l.words[1:]...)
	cmd.Dir, cmd.Stdin = home, strings.NewReader(l.stdin)
	cmd.Env = append([]string{
		"HOME=" + home, "USERPROFILE=" + home, "PAYU_MCP_URL=" + w.url, "PAYU_MCP_STORE=file",
		"PAYU_MCP_BROWSER=payu-mcp demo-browser --user A", // who has one account
	}, l.env...)
	for _, name := range []string{"PATH", "SYSTEMROOT", "TMPDIR", "TEMP"} {
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name))
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), out.String()
	}
	if err != nil {
		t.Errorf("%s: %v", l, err)
	}
	return 0, out.String()
}

// runnable is the line as it is run; false if it is only parsed.
func runnable(l docLine) (docLine, bool) {
	if l.words[0] != "payu-mcp" || l.template || l.piped || len(l.words) > 1 && l.words[1] == "*" || checkWords(docLine{words: l.words}) != nil {
		return l, false
	}
	line := strings.Join(l.words[1:], " ")
	for _, r := range docRules() {
		if r.lines.MatchString(line) {
			l.words = append(slices.Clone(l.words), strings.Fields(r.add)...)
			return l, r.add != ""
		}
	}
	return l, true
}

func TestDocs_commandLines_run(t *testing.T) {
	t.Parallel()
	w := newDocWorld(t)
	seen := map[string]bool{}
	var ends []docLine // those that end the login, for everybody
	for _, l := range allDocLines(t, documents(t, "../.."), helpTexts()) {
		l, ok := runnable(l)
		if key := strings.Join(l.words, " ") + l.stdin; !ok || seen[key] {
			continue
		} else {
			seen[key] = true
		}
		if len(l.words) > 1 && (l.words[1] == "login" || l.words[1] == "logout") {
			ends = append(ends, l)
			continue
		}
		w.ends(t, l)
	}
	for _, l := range ends {
		w.ends(t, l)
	}
	if len(seen) < 40 {
		t.Errorf("only %d command lines were found that can be run", len(seen))
	}
}

// ends runs a line, which has to end well, in a copy of the home.
func (w docWorld) ends(t *testing.T, l docLine) {
	t.Helper()
	home := t.TempDir()
	err := filepath.WalkDir(w.home, func(path string, d os.DirEntry, err error) error {
		to := filepath.Join(home, strings.TrimPrefix(path, w.home))
		if err != nil || d.IsDir() {
			return errors.Join(err, os.MkdirAll(to, 0o700))
		}
		b, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(to, b, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	if code, out := w.run(t, home, l); code != 0 {
		t.Errorf("%s: exit code %d\n%s", l, code, out)
	}
}
