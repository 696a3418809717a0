package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// changing is what install and uninstall have in common: a plan is shown, a
// person is asked, files are changed, and what went wrong with one host stops no
// other.
type changing struct {
	out    io.Writer
	person *person
	o      hostOptions
	sys    install.System

	failed []string // names of hosts whose file is not as it was asked for
}

func newChanging(e env, o hostOptions, sys install.System) changing {
	return changing{out: e.stdout, person: newPerson(e), o: o, sys: sys}
}

func (c *changing) options(replace bool) install.Options {
	return install.Options{Project: c.o.where == whereProject, Replace: replace}
}

// mayAsk refuses to go on where nobody can answer and nobody said yes before.
func (c *changing) mayAsk() error {
	if c.o.yes || c.o.dryRun || c.person.present() {
		return nil
	}
	return usagef("give --yes to make the changes, or --dry-run to see them only", "nobody can be asked: the input is no terminal")
}

// show prints what a change does to its file.
func (c *changing) show(ch install.Change) {
	fmt.Fprintf(c.out, "\n%s: ", ch.Host.Name)
	if ch.Err != nil {
		fmt.Fprintf(c.out, "%s\n", c.trouble(ch))
		return
	}
	if ch.Empty() {
		fmt.Fprintf(c.out, "nothing to do in %s\n", homely(c.sys, ch.Path))
		return
	}
	fmt.Fprintf(c.out, "%s\n", printable.Line(strings.Join(ch.Does, "; "), longestClause))
	for _, step := range ch.Steps() {
		fmt.Fprintf(c.out, "  by its own program: %s\n", printable.Line(step, longestClause))
	}
	cut := false
	for line := range strings.Lines(ch.Diff()) {
		fmt.Fprintf(c.out, "  %s\n", diffLine(line))
		cut = cut || strings.HasPrefix(line, "+") && strings.HasSuffix(strings.TrimSpace(line), "[...]")
	}
	if entry := ch.Entry(); cut && entry != "" { // the exact entry is to be seen (RELAY L17)
		fmt.Fprintln(c.out, "  the whole entry:")
		for line := range strings.Lines(entry) {
			fmt.Fprintf(c.out, "   %s\n", shown(" "+line, len(line)))
		}
	}
}

const longestClause = 400 // characters

// diffLine makes a line of somebody's file fit for a terminal: it may hold
// anything, and be a whole file. The lines around an entry are of other servers,
// whose keys do not belong on a screen that somebody looks at, or in a report.
func diffLine(line string) string {
	return shown(line, 220) // characters: more than a diff has
}

// shown is a line with what it has in its first column, of which most characters
// are shown.
func shown(line string, most int) string {
	text := strings.TrimLeft(line[min(1, len(line)):], " \t")
	indent := strings.ReplaceAll(line[min(1, len(line)):len(line)-len(text)], "\t", "    ")
	return line[:min(1, len(line))] + indent + printable.Line(redact.Text(withoutKeys(text)), most)
}

// withoutKeys masks the values of what is called a key, a token or the like, as
// hosts' files have them for other servers, and the passwords in addresses.
func withoutKeys(line string) string {
	const called = `[A-Za-z0-9_.-]*(?:api[_-]?key|_key|-key|token|secret|passw(?:or)?d|credential)[A-Za-z0-9_.-]*`
	value := regexp.MustCompile(`(?i)(` + called + `["']?(?:\s*[:=]\s*["']?|["']\s*,\s*["']))[^\s"',{}\[\]][^"',}\]]*`)
	user := regexp.MustCompile(`(://[^\s/@:"']*:)[^\s/@"']+@`)
	return user.ReplaceAllString(value.ReplaceAllString(line, "${1}"+redact.Mark), "${1}"+redact.Mark+"@")
}

// trouble says why a file is left as it is, and what helps.
func (c *changing) trouble(ch install.Change) string {
	text := "not changed: " + printable.Line(ch.Err.Error(), longestClause)
	if ch.Path != "" {
		text += " (" + homely(c.sys, ch.Path) + ")"
	}
	return text
}

// apply makes the changes, one host after the other.
func (c *changing) apply(ctx context.Context, changes []install.Change, after func(install.Change)) {
	for _, ch := range changes {
		if ch.Err != nil || ch.Empty() {
			continue
		}
		done, err := c.sys.Apply(ctx, ch, time.Now())
		if err != nil {
			ch.Err = err
			fmt.Fprintf(c.out, "\n%s: %s\n", ch.Host.Name, c.trouble(ch))
			c.fail(ch)
			continue
		}
		fmt.Fprintf(c.out, "\n%s: written, %s\n", ch.Host.Name, homely(c.sys, ch.Path))
		if done.Backup != "" {
			fmt.Fprintf(c.out, "  as it was before: %s\n", homely(c.sys, done.Backup))
		}
		after(ch)
	}
}

func (c *changing) fail(ch install.Change) {
	if !slices.Contains(c.failed, ch.Host.Name) {
		c.failed = append(c.failed, ch.Host.Name)
	}
}

// result is nil, or names the hosts that are not as they were asked for.
func (c *changing) result() error {
	if len(c.failed) == 0 {
		return nil
	}
	return hint.With(errors.New("not changed: "+strings.Join(c.failed, ", ")), "the reasons are above; nothing else was held up")
}

// onceEach drops changes of a file that another host's change is about, too.
func onceEach(changes []install.Change) []install.Change {
	var paths []string
	return slices.DeleteFunc(changes, func(ch install.Change) bool {
		again := ch.Path != "" && slices.Contains(paths, ch.Path)
		paths = append(paths, ch.Path)
		return again
	})
}

// unchanged tells whether a change leaves its file as it is.
func unchanged(ch install.Change) bool { return ch.Empty() }

// person is who answers questions, if somebody is there.
type person struct {
	e env
}

func newPerson(e env) *person { return &person{e} }

func (p *person) present() bool { return term.IsTerminal(int(p.e.stdin.Fd())) }

// ask returns the answer to a question, in lower case without blanks around it;
// the end of the input is an empty one.
func (p *person) ask(ctx context.Context, question string) (string, error) {
	if _, err := io.WriteString(p.e.stdout, question); err != nil {
		return "", fmt.Errorf("asking: %w", err)
	}
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	// It may stay in a read that nobody ends; the process is about to.
	go func() {
		line, err := readLine(p.e.stdin)
		answered <- answer{line, err}
	}()
	select {
	case a := <-answered:
		return strings.ToLower(strings.TrimSpace(a.line)), a.err
	case <-ctx.Done():
		return "", errInterrupted
	}
}

// readLine reads no further than the line: what comes after it may be meant for
// the sign-in.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		n, err := r.Read(b)
		if n > 0 && b[0] != '\n' {
			line = append(line, b[0])
		}
		if n > 0 && b[0] == '\n' || errors.Is(err, io.EOF) {
			return string(line), nil
		}
		if err != nil {
			return "", fmt.Errorf("reading the answer: %w", err)
		}
	}
}

// yes asks a question that has two answers; otherwise is the one of Enter.
func (p *person) yes(ctx context.Context, question string, otherwise bool) (bool, error) {
	choice := " [y/N] "
	if otherwise {
		choice = " [Y/n] "
	}
	answer, err := p.ask(ctx, question+choice)
	if answer == "" {
		return otherwise, err
	}
	return answer == "y" || answer == "yes", err
}
