package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/browser"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// OpenerEnv names another opener program: a command line, where double quotes
// keep a part together; the URL becomes its last argument.
const OpenerEnv = "PAYU_MCP_BROWSER"

// ErrNoBrowser: there is no browser here that a person would see.
var ErrNoBrowser = errors.New("no browser can be opened here")

// quickFailure is how long an opener may take to report an error; one that is
// silent so long has opened something (OAUTH section 5).
const quickFailure = 1500 * time.Millisecond

// Opener opens URLs in a detached child of our own binary: a session of its own
// that no signal for the host's process group reaches, and /dev/null for its
// output, because the host's pipes carry the protocol (OAUTH section 5, X20).
type Opener struct {
	// Command starts the child, which calls OpenHere with what it reads from
	// its standard input.
	Command []string
	// Getenv reads the environment.
	Getenv func(string) string
}

// Open starts the browser and returns when it is likely to be there. It fails
// with ErrNoBrowser or with the opener's early end. The child has the whole URL
// when it starts, so it needs nothing of us any more.
func (o Opener) Open(ctx context.Context, url string) error {
	url, err := openable(url)
	if err != nil {
		return err
	}
	extra, err := o.environment(ctx)
	if err != nil {
		return err
	}
	stdin, err := filledPipe(url)
	if err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	defer stdin.Close()
	cmd := exec.Command(o.Command[0], o.Command[1:]...) //nolint:gosec,noctx // our own binary; it must outlive this call
	cmd.Stdin, cmd.SysProcAttr = stdin, detached()
	cmd.Env = append(os.Environ(), extra...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // reaps the child; ends with it
	return quickly(ctx, ended)
}

// openable is the last look at an address before a program of the system gets
// it (OAUTH A32, X1): it is judged, and written anew. What passes is an http(s)
// URL of RFC 3986's characters alone: no blank, no quote, no backslash, no option.
// That matters most on Windows, where pkg/browser hands it to ShellExecute, which
// runs files and asks whatever program has registered a scheme, and which puts it
// into the browser's command line.
func openable(raw string) (string, error) {
	u, err := checkURL(raw, true)
	if err != nil {
		return "", fmt.Errorf("opening the browser: %w", err)
	}
	return u.String(), nil
}

// filledPipe returns a pipe with text in it and nobody at its other end, so that
// the reader gets all of it even if this process is killed the next moment.
func filledPipe(text string) (*os.File, error) {
	const room = 4 << 10 // of the smallest pipe of any system
	if len(text) > room {
		return nil, errors.New("the address is too long")
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	_, err = w.WriteString(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// quickly returns an opener's early failure; one that is silent for a moment has
// opened something (OAUTH section 5).
func quickly(ctx context.Context, ended <-chan error) error {
	t := time.NewTimer(quickFailure)
	defer t.Stop()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("opening the browser: %w", err)
		}
	case <-t.C:
	case <-ctx.Done(): // the sign-in has ended: the browser was there
	}
	return nil
}

// Present tells whether a page can be shown to a person here. It may ask the
// user's service manager, for a second at most.
func (o Opener) Present(ctx context.Context) bool {
	_, err := o.environment(ctx)
	return err == nil
}

// environment returns what the child needs besides our own environment, which
// hosts strip (HOSTS section 1). ErrNoBrowser: no page could be shown.
func (o Opener) environment(ctx context.Context) ([]string, error) {
	if o.Getenv(OpenerEnv) != "" {
		return nil, nil
	}
	extra, found := o.desktop(ctx)
	if !found {
		return nil, hint.With(ErrNoBrowser, "open the address by hand; from another computer use payu-mcp login --no-browser")
	}
	return extra, nil
}

// OpenHere opens url from this process: with the program of OpenerEnv, else
// with pkg/browser. It returns when that has ended, or after a moment: whoever
// ends all descendants of a bridge then finds no way from it to the browser.
func OpenHere(ctx context.Context, url string, getenv func(string) string) error {
	url, err := openable(url)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- openAndWait(url, getenv) }() // left alone when the process ends
	return quickly(ctx, ended)
}

func openAndWait(url string, getenv func(string) string) error {
	if own := splitCommand(getenv(OpenerEnv)); len(own) > 0 {
		cmd := exec.Command(own[0], append(own[1:], url)...) //nolint:gosec,noctx // the user's own setting, no shell; it outlives us
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("running %s: %w", OpenerEnv, err)
		}
		return nil
	}
	if !anyOpener() {
		return ErrNoBrowser
	}
	browser.Stdout, browser.Stderr = nil, nil // the default is os.Stdout (OAUTH Z8)
	return browser.OpenURL(url)
}

// graphical returns a value of the variable BROWSER without the browsers that
// run in a terminal: ours carries MCP, and none of them shows a person the page.
func graphical(list string) string {
	terminal := []string{"www-browser", "links", "links2", "elinks", "lynx", "w3m"}
	var kept []string
	for b := range strings.SplitSeq(list, ":") {
		if words := strings.Fields(b); len(words) > 0 && !slices.Contains(terminal, filepath.Base(words[0])) {
			kept = append(kept, b)
		}
	}
	return strings.Join(kept, ":")
}

// splitCommand splits at white space; double quotes keep a part together. A
// value that is the name of a file is one part, so that a path with blanks
// needs no quotes.
func splitCommand(s string) []string {
	if _, err := os.Stat(s); err == nil {
		return []string{s}
	}
	var parts []string
	var b strings.Builder
	quoted, started := false, false
	for _, r := range s {
		switch {
		case r == '"':
			quoted, started = !quoted, true
		case !quoted && (r == ' ' || r == '\t'):
			if started {
				parts, started = append(parts, b.String()), false
				b.Reset()
			}
		default:
			b.WriteRune(r)
			started = true
		}
	}
	if started {
		parts = append(parts, b.String())
	}
	return parts
}
