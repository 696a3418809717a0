package e2e

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The way of a Linux desktop: payu-mcp's detached child, pkg/browser, xdg-open,
// $BROWSER, Chromium, the loopback redirect (OAUTH section 11).
func TestBrowser_xdgOpen_reachesTheBrowserOfTheEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.startStack(time.Minute)
	w.chromium("xdg", nil)
	script := w.path("browser.sh")
	text := "#!/bin/sh\nexec " + w.getenv("PAYU_MCP_BROWSER") + " \"$1\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	w.setenv("PAYU_MCP_BROWSER", "")
	w.setenv("BROWSER", script)

	w.must(w.payu("login", "--url", s.Endpoint, "--store=file"), 0)
	if pages := w.visited("xdg"); pages[len(pages)-1].Path != "/done" {
		t.Errorf("the browser ended at %q", pages[len(pages)-1].Path)
	}
	if argv := string(w.watch.sinks()["argv of a process"]); !strings.Contains(argv, "xdg-open") {
		t.Error("xdg-open was not seen: this did not go the way of a desktop")
	}
	w.noLeaks(s.secrets())
}
