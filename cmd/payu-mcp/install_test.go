package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The stories of install and uninstall: what a person is shown and asked, and
// what is in the hosts' files then.
//
//oauth:row X29 cmd/payu-mcp/install_run.go "if in.o.yes {" => "if true {"
//oauth:row X29 cmd/payu-mcp/install_change.go "if c.o.yes || c.o.dryRun || c.person.present() {" => "if true {"
//oauth:row X29 cmd/payu-mcp/install_change.go "for line := range strings.Lines(ch.Diff()) {" => "for line := range strings.Lines(``) {"
//oauth:row X29 cmd/payu-mcp/install_run.go "if in.o.yes || in.o.dryRun {" => "if false {"
func TestInstall_stories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scripts("install"))
}
