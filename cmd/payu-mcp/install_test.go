package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// The stories of install and uninstall: what a person is shown and asked, and
// what is in the hosts' files then.
//
//oauth:row X29 cmd/payu-mcp/install_run.go "if in.o.yes {" => "if true {"
//oauth:row X29 cmd/payu-mcp/install_change.go "if c.o.yes || c.o.dryRun || c.person.present() {" => "if true {"
//oauth:row X29 cmd/payu-mcp/install_change.go "for line := range strings.Lines(ch.Diff()) {" => "for line := range strings.Lines(``) {"
//oauth:row X29 cmd/payu-mcp/install_run.go "return !in.o.yes && !in.o.dryRun" => "return true"
func TestInstall_stories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scripts("install"))
}

// The tests are such a program themselves: go test builds it for one run.
func TestOwnCommand_programThatWillBeGone_adviceWorksWithoutARelease(t *testing.T) {
	t.Parallel()
	_, err := ownCommand(install.System{})
	if err == nil {
		t.Skip("the tests were built to last")
	}
	advice := hint.Of(err)
	if !errors.Is(err, install.ErrNotLasting) || !strings.Contains(advice, "run payu-mcp install") {
		t.Errorf("%v, with the advice %q", err, advice)
	}
	for _, published := range []string{"@latest", "npm ", "brew "} {
		if strings.Contains(advice, published) {
			t.Errorf("the advice needs something that may not be published: %q", advice)
		}
	}
}

// Ctrl-C ends a question that nobody answers.
func TestAsk_interrupted_endsTheWait(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if answer, err := newPerson(env{stdin: r, stdout: null}).ask(ctx, "Write this? "); !errors.Is(err, errInterrupted) || answer != "" {
		t.Errorf("answered %q, %v", answer, err)
	}
}

// What follows an answer is for whoever reads next: the sign-in takes lines, too.
func TestReadLine_severalLines_oneIsTaken(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "y\nhttp://127.0.0.1/callback\n")
	_ = w.Close()
	if line, err := readLine(r); line != "y" || err != nil {
		t.Errorf("read %q, %v", line, err)
	}
	if rest, err := io.ReadAll(r); string(rest) != "http://127.0.0.1/callback\n" || err != nil {
		t.Errorf("left %q, %v", rest, err)
	}
	if line, err := readLine(r); line != "" || err != nil {
		t.Errorf("after the end: %q, %v", line, err)
	}
}

// What a diff shows of other servers' entries has no secret in it, in any format;
// the entry itself and all else are as they are.
func TestDiffLine_keysOfOthers_masked(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		` 	"GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_x1",`:                  `     "GITHUB_PERSONAL_ACCESS_TOKEN": "[masked]",`,
		` {"env": {"OPENAI_API_KEY":"sk-x1", "A": "b"}, "x": "y"}`:     ` {"env": {"OPENAI_API_KEY":"[masked]", "A": "b"}, "x": "y"}`,
		`-"args": ["--api-key", "x1", "--token=x1", "--verbose"]`:      `-"args": ["--api-key", "[masked]", "--token=[masked]", "--verbose"]`,
		` client_secret = 'x1 x1' # mine`:                              ` client_secret = '[masked]' # mine`,
		`   STRIPE_KEY: x1`:                                            `   STRIPE_KEY: [masked]`,
		`+"env": {"HTTPS_PROXY": "http://u:x1@p:1", "A": "b"}`:         `+"env": {"HTTPS_PROXY": "http://u:[masked]@p:1", "A": "b"}`,
		`+"command": "/opt/bin/payu-mcp",`:                             `+"command": "/opt/bin/payu-mcp",`,
		`+"args": ["--profile", "shop2", "--block-tool=refund*"]`:      `+"args": ["--profile", "shop2", "--block-tool=refund*"]`,
		`+env_vars = ["HTTPS_PROXY", "PAYU_MCP_STORE"]`:                `+env_vars = ["HTTPS_PROXY", "PAYU_MCP_STORE"]`,
		` "keybindings": "vim", "tokens": {"a": 1}, "url": "http://x"`: ` "keybindings": "vim", "tokens": {"a": 1}, "url": "http://x"`,
	} {
		if got := diffLine(line); strings.ReplaceAll(got, redact.Mark, "[masked]") != want {
			t.Errorf("%s\nis shown as %s\nwant        %s", line, got, want)
		}
	}
}
