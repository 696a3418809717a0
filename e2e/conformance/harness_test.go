package conformance

import (
	"slices"
	"strings"
	"testing"
)

// The harness itself: what it lets pass would pass in silence.

func TestJudge_failureWarningOrNothing_isAFault(t *testing.T) {
	t.Parallel()
	for want, checks := range map[string][]check{
		"":                     {{Status: "SUCCESS"}, {Status: "INFO"}, {Status: "SKIPPED"}},
		"FAILURE a: is broken": {{Status: "SUCCESS"}, {ID: "a", Status: "FAILURE", Description: "is broken"}},
		"WARNING b: is odd":    {{Status: "SUCCESS"}, {ID: "b", Status: "WARNING", Description: "b", ErrorMessage: "is odd"}},
		"nothing was checked":  {{Status: "INFO"}},
	} {
		var o outcome
		o.judge(checks)
		if got := strings.TrimSpace(o.told()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWire_legacyWaysOfTheBridge_areFound(t *testing.T) {
	t.Parallel()
	wire := strings.Join([]string{
		`{"at":9,"verb":"POST","path":"/mcp","rpc":"initialize","headers":{"user-agent":"payu-mcp/1"}}`, // login's
		`{"at":11,"verb":"POST","path":"/mcp","rpc":"tools/list","headers":{"user-agent":"payu-mcp/1"}}`,
		`{"at":11,"verb":"GET","path":"/.well-known/oauth-protected-resource","headers":{"user-agent":"payu-mcp/1"}}`,
		`{"at":11,"verb":"POST","path":"/token","headers":{"user-agent":"Go-http-client/1.1"}}`,
		`{"at":12,"verb":"POST","path":"/mcp","rpc":"initialize","headers":{"user-agent":"payu-mcp/1"}}`,
		`{"at":12,"verb":"POST","path":"/mcp","rpc":"notifications/cancelled","headers":{"user-agent":"payu-mcp/1"}}`,
		`{"at":12,"verb":"POST","path":"/mcp","rpc":"ping","headers":{"mcp-session-id":"s"}}`,
		`{"at":12,"verb":"GET","path":"/mcp","headers":{"user-agent":"payu-mcp/1"}}`,
		`{"at":12,"verb":"DELETE","path":"/mcp","headers":{"user-agent":"payu-mcp/1"}}`,
	}, "\n")
	got, err := legacyWaysSince(10, wire)
	want := []string{"initialize", "notifications/cancelled", "a session id", "GET", "DELETE"}
	if err != nil || !slices.EqualFunc(got, want, func(g, w string) bool { return g == "the bridge sent "+w+" for a modern host" }) {
		t.Errorf("%v %v", got, err)
	}
	if got, err = legacyWaysSince(13, wire); err != nil || len(got) != 1 {
		t.Errorf("nothing seen: %v %v", got, err)
	}
}
