package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// The access token dies long before its time, for all at once.
func TestBridges_accessTokenRevokedEarly_oneRefresh(t *testing.T) {
	t.Parallel()
	c := startCrowd(t, sandbox.Options{})
	c.open()
	c.callAll(1, answered)
	c.sb.ExpireAccessTokens()
	c.callAll(2, answered)
	c.callAll(3, answered)
	if n := len(c.refreshes()); n != 1 || c.signIns() != 0 {
		t.Errorf("%d refreshes and %d sign-ins, want 1 and 0", n, c.signIns())
	}
	c.stop()
}

// A token endpoint in trouble costs nobody the login (OAUTH B10, L7).
func TestBridges_tokenEndpointInTrouble_nobodyIsLoggedOut(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault.Fault{
		"500":            fault.Status(http.StatusInternalServerError),
		"503":            fault.Unavailable(time.Second),
		"429":            fault.Limited("1"),
		"captive portal": fault.Portal(),
		"silence":        fault.Silence(),
		"reset":          fault.Reset(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCrowd(t, sandbox.Options{})
			c.open()
			c.callAll(1, answered)
			c.sb.ExpireAccessTokens()
			asked := c.faults.AddIf(refreshing, -1, f)
			c.all(func(m *member) {
				if what := m.call(2); what == answered {
					t.Errorf("%s was answered without a token", m.name)
				}
			})
			if asked() == 0 {
				t.Error("nobody asked for a new token: this proves nothing")
			}
			if r := c.w.must(c.w.payu("status"), 0); !strings.Contains(r.stdout, "login ") {
				t.Errorf("status: %s", r.stdout)
			}
			c.faults.Clear()
			for round, m := range c.members { // each has its own back-off
				c.w.eventually("calls work again", 10*time.Second, func() bool { round += crowdSize; return m.call(round) == answered })
			}
			if c.signIns() != 0 || c.sb.Log().Count(sandbox.Query{Path: "/oauth/authorize", After: c.since}) != 0 {
				t.Errorf("%d sign-ins", c.signIns())
			}
			if good := count(c.refreshes(), http.StatusOK); good < 1 || c.sb.Log().Count(sandbox.Query{Path: "/oauth/revoke"}) != 0 {
				t.Errorf("%d good refreshes", good)
			}
			c.stop()
		})
	}
}

// bearers lists which tokens the resource has seen since a place in the log.
func (c *crowd) bearers(after int) map[string]int {
	seen := map[string]int{}
	for _, e := range c.sb.Log().Find(sandbox.Query{Role: sandbox.RoleResource, Path: "/mcp", After: after}) {
		if e.Authorization != "" {
			seen[e.Authorization]++
		}
	}
	return seen
}

// Somebody signs out, and somebody signs in, on the terminal: the bridges know
// it before they use a token again (OAUTH L1).
func TestBridges_logoutAndLogin_seenByAllBeforeTheNextCall(t *testing.T) {
	t.Parallel()
	c := startCrowd(t, sandbox.Options{})
	c.open()
	c.callAll(1, answered)
	old := c.bearers(0)
	if len(old) != 1 {
		t.Fatalf("%d tokens were used by eight bridges with one login", len(old))
	}

	c.w.must(c.w.payu("login", "--url", c.sb.Endpoint(), "--store=file"), 0)
	at := c.sb.Log().Len()
	c.callAll(2, answered)
	second := c.bearers(at)
	for token := range second {
		if len(second) != 1 || old[token] != 0 {
			t.Errorf("after a new login the bridges used %d tokens: %v, before it %v", len(second), second, old)
		}
	}

	c.w.must(c.w.payu("logout"), 0)
	at = c.sb.Log().Len()
	c.callAll(3, answered, openElsewhere) // it leads to a sign-in, by one of them
	for token := range c.bearers(at) {
		if old[token]+second[token] != 0 {
			t.Errorf("after the logout a bridge used a token of before")
		}
	}
	c.callAll(4, answered)
	if n := c.signIns(); n != 2 {
		t.Errorf("%d sign-ins, want 2: of the login and of the calls", n)
	}
	c.stop()
	c.w.noLeaks(c.sb.Secrets())
}

// A login under eight bridges that all call costs none of their calls.
func TestBridges_loginWhileTheyCall_noCallIsLost(t *testing.T) {
	t.Parallel()
	c := startCrowd(t, sandbox.Options{})
	stop := make(chan struct{})
	for _, m := range c.members {
		go m.live(stop)
	}
	const logins = 3
	for range logins {
		c.w.must(c.w.payu("login", "--url", c.sb.Endpoint(), "--store=file"), 0)
	}
	close(stop)
	for range c.members {
		<-c.down
	}
	for what, n := range c.tally {
		if what != answered {
			t.Errorf("%d calls: %s", n, what)
		}
	}
	if n := c.signIns(); n != logins || c.tally[answered] == 0 {
		t.Errorf("%d sign-ins, %d calls answered; want %d, some", n, c.tally[answered], logins)
	}
	c.stop()
}
