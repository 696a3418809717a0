package e2e

import (
	"net/http"
	"testing"
)

// A killed bridge takes the new refresh token with it if it dies between the
// server's commit and its own save: then, and only then, somebody has to sign in
// again, once.
func TestBridges_killed_atMostOneSignInForEachHit(t *testing.T) {
	t.Parallel()
	c := startCrowd(t, shortTokens())
	random, hits := c.run(2, func(m *member) { _ = m.host.cmd.Process.Kill() })
	// A token that was spent by one who is dead comes a second time, once.
	twice, refused := c.sb.Log().RefreshCollisions(), count(c.refreshes(), http.StatusBadRequest)
	if hits == 0 || twice < hits || twice > hits+random || refused > twice || c.signIns() > twice {
		t.Errorf("the counts do not fit")
	}
	t.Logf("%v: %d bridges; killed %d at random, %d in the window; %d refreshes, %d refresh tokens used twice, %d invalid_grant, %d sign-ins; calls: %v",
		crowdTime(t), c.lives, random, hits, len(c.refreshes()), twice, refused, c.signIns(), c.tally)
	c.stop()
	c.w.noLeaks(c.sb.Secrets())
}
