package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const (
	registerPath = "/register"
	revokePath   = "/oauth/revoke"
)

// sayf prints one thing that happened in the current step, after the hops that
// led to it.
func (d *demo) sayf(format string, args ...any) {
	d.tellHops()
	fmt.Fprintf(d.out, "    "+format+"\n", args...)
}

// tellHops prints who talked to whom since the last time. The sandbox's log
// holds no secret.
func (d *demo) tellHops() {
	entries := d.sandbox.Log().Find(sandbox.Query{After: d.seen})
	for _, e := range entries {
		d.seen = e.N
		fmt.Fprintf(d.out, "    %-7s -> %-8s  %s\n", speaker(e), listener(e), what(e))
	}
}

func speaker(e sandbox.Entry) string {
	if strings.HasPrefix(e.Path, "/oauth/") && e.Path != "/oauth/token" && e.Path != revokePath {
		return "browser"
	}
	return "bridge"
}

func listener(e sandbox.Entry) string {
	if e.Role == sandbox.RoleAccounts {
		return "sign-in"
	}
	return "endpoint"
}

func what(e sandbox.Entry) string {
	details := []string{e.Method, e.Path, e.RPC, e.Tool, e.Grant()}
	text := strings.Join(slices.DeleteFunc(details, func(s string) bool { return s == "" }), " ")
	if e.Authorization != "" {
		text += ", with " + e.Authorization
	}
	if e.Status != 0 {
		text += fmt.Sprintf(": %d", e.Status)
	}
	return text
}

// indented puts another program's lines under the step they belong to.
type indented struct{ w io.Writer }

func (i indented) Write(p []byte) (int, error) {
	lines := strings.TrimSuffix(string(p), "\n")
	if _, err := fmt.Fprintf(i.w, "    %s\n", strings.ReplaceAll(lines, "\n", "\n    ")); err != nil {
		return 0, err
	}
	return len(p), nil
}
