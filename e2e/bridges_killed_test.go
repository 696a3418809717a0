package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// reload is an opener: a person who signs in, and who reloads a page that does
// not come, because the bridge behind it has just been killed.
func reload(args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	client := &http.Client{Transport: reloading{}}
	page, err := sandbox.Visitor{Client: client}.Visit(ctx, args[0])
	if err != nil || page.Status != http.StatusOK {
		return 1
	}
	return 0
}

type reloading struct{}

// RoundTrip implements http.RoundTripper.
func (reloading) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil || r.Body != nil && r.Body != http.NoBody {
			return resp, err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-r.Context().Done():
			return nil, err
		}
	}
}

// A killed bridge takes the new refresh token with it if it dies between the
// server's commit and its own save: then, and only then, somebody has to sign in
// again, once.
func TestBridges_killed_atMostOneSignInForEachHit(t *testing.T) {
	t.Parallel()
	c := startCrowd(t, shortTokens())
	random, hits := c.run(2, func(m *member) { _ = m.host.cmd.Process.Kill() })
	// A token that was spent by one who is dead comes a second time, once; then it
	// is known to be dead, and one of all signs in.
	twice, refused := c.sb.Log().RefreshCollisions(), count(c.refreshes(), http.StatusBadRequest)
	if hits == 0 || twice < hits || twice > hits+random || refused > twice || c.signIns() > twice {
		t.Error("the counts do not fit")
	}
	for what, n := range c.tally {
		if what != answered && what != unsent && what != openElsewhere && what != waitsForSignIn {
			t.Errorf("%d calls: %s", n, what)
		}
	}
	t.Logf("%v: %d bridges; killed %d at random, %d in the window; %d refreshes, %d refresh tokens used twice, %d invalid_grant, %d sign-ins; calls: %v",
		crowdTime(t), c.lives, random, hits, len(c.refreshes()), twice, refused, c.signIns(), c.tally)
	c.stop()
	c.w.noLeaks(c.sb.Secrets())
}
