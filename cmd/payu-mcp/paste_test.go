package main

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// OAUTH section 5, "no browser": the person's browser is on another computer.
func TestLogin_pasted_signedIn(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	cmd := c.command("login", "--no-browser", "--url", c.sandbox.Endpoint())
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var text strings.Builder
	next := func(prefix string) string {
		t.Helper()
		for lines.Scan() {
			text.WriteString(lines.Text() + "\n")
			if strings.HasPrefix(lines.Text(), prefix) {
				return lines.Text()
			}
		}
		t.Fatalf("no line %q in:\n%s", prefix, text.String())
		return ""
	}
	start := next("http")
	next("browser's address bar, paste it here")
	last := lastAddress(t, start)
	for _, wrong := range []string{start, "https://h.example/", strings.Replace(last, "state=", "state=x", 1)} {
		_, _ = io.WriteString(stdin, wrong+"\n")
		next("Not used: ")
		next("What helps: ")
	}
	_, _ = io.WriteString(stdin, "\n  \""+last+"\"  \n")
	next("Signed in as ")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for _, secret := range c.sandbox.Secrets() {
		if strings.Contains(text.String(), secret) {
			t.Errorf("a secret is printed:\n%s", text.String())
		}
	}
}

// lastAddress walks through the pages and returns what stands in the address bar
// of a browser that cannot reach this computer.
func lastAddress(t *testing.T, start string) (last string) {
	t.Helper()
	stop := func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path != "/callback" {
			return nil
		}
		last = r.URL.String()
		return http.ErrUseLastResponse
	}
	if _, err := (sandbox.Visitor{Client: &http.Client{CheckRedirect: stop}}).Visit(t.Context(), start); err != nil {
		t.Fatal(err)
	}
	return last
}
