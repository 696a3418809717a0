package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
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
// with ErrNoBrowser or with the opener's early end.
func (o Opener) Open(ctx context.Context, url string) error {
	if _, err := checkURL(url, true); err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	if !o.Present() {
		return hint.With(ErrNoBrowser, "open the address by hand; from another computer use payu-mcp login --no-browser")
	}
	cmd := exec.Command(o.Command[0], o.Command[1:]...) //nolint:gosec,noctx // our own binary; it must outlive this call
	cmd.Stdin = strings.NewReader(url)
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // reaps the child; ends with it
	t := time.NewTimer(quickFailure)
	defer t.Stop()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("opening the browser: %w", err)
		}
		return nil
	case <-t.C:
		return nil
	case <-ctx.Done():
		return nil // the sign-in has ended: the browser was there
	}
}

// Present tells whether an opener would show a page to a person. Without a
// display xdg-open falls to browsers in a terminal, and ours carries MCP
// (HOSTS section 1).
func (o Opener) Present() bool {
	if o.Getenv(OpenerEnv) != "" || o.Getenv("BROWSER") != "" {
		return true
	}
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	default:
		return o.Getenv("DISPLAY") != "" || o.Getenv("WAYLAND_DISPLAY") != ""
	}
}

// OpenHere opens url from this process: with the program of OpenerEnv, else
// with pkg/browser. It waits until the opener ends.
func OpenHere(ctx context.Context, url string, getenv func(string) string) error {
	if _, err := checkURL(url, true); err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	if own := splitCommand(getenv(OpenerEnv)); len(own) > 0 {
		cmd := exec.CommandContext(ctx, own[0], append(own[1:], url)...) //nolint:gosec // the user's own setting, no shell
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("running %s: %w", OpenerEnv, err)
		}
		return nil
	}
	browser.Stdout, browser.Stderr = nil, nil // the default is os.Stdout (OAUTH Z8)
	if err := browser.OpenURL(url); err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	return nil
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
