package e2e

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

const (
	shortLife  = 5 * time.Second
	killPace   = 2 * time.Second
	commitLag  = 200 * time.Millisecond // from the server's commit to its answer: an end may fall into it
	chosenLag  = time.Second            // the same, when one is to be ended in it
	defaultRun = 15 * time.Second
)

// crowdTime is how long the crowds live: BRIDGES=60s is the full run.
func crowdTime(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("BRIDGES")
	if s == "" {
		return defaultRun
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal("BRIDGES:", err)
	}
	return d
}

func shortTokens() sandbox.Options {
	return sandbox.Options{Knobs: sandbox.Knobs{
		Token: sandbox.TokenKnobs{AccessLife: shortLife, Rotation: sandbox.RotateStrict},
		MCP:   sandbox.MCPKnobs{Sessions: true, Get: sandbox.GetStream, DeleteAllowed: true},
	}}
}

func refreshing(r fault.Request) bool { return r.Grant == "refresh_token" }

// run lets the crowd live: every two seconds one of it is ended, each
// every-th refresher is ended on purpose between the server's commit and its
// answer, and whoever has ended is replaced. It tells how many were ended at
// random and on purpose.
func (c *crowd) run(every int, end func(*member)) (random, hits int) {
	c.w.t.Helper()
	window, stop := make(chan int), make(chan struct{})
	c.faults.AddIf(refreshing, -1, fault.Between(c.betweenCommitAndAnswer(every, window)))
	for _, m := range c.members {
		go m.live(stop)
	}
	tick := time.NewTicker(killPace)
	defer tick.Stop()
	over := time.After(crowdTime(c.w.t))
	for running := true; running; {
		select {
		case <-tick.C:
			if m := c.members[rand.IntN(len(c.members))]; !m.gone() {
				end(m)
				random++
			}
		case pid := <-window:
			if m := c.byPID(pid); m != nil && !m.gone() {
				end(m)
				hits++
			}
		case m := <-c.down:
			m.host.gone(c.limit)
			m.start()
			go m.live(stop)
		case <-over:
			running = false
		}
	}
	c.faults.Clear()
	close(stop)
	for range c.members {
		<-c.down
	}
	return random, hits
}

// betweenCommitAndAnswer names the process that refreshes, each every-th time,
// and takes its time, unless that process dies meanwhile.
func (c *crowd) betweenCommitAndAnswer(every int, window chan<- int) func(context.Context) {
	var n atomic.Int64
	return func(ctx context.Context) {
		chosen, cancel := context.WithTimeout(ctx, chosenLag)
		defer cancel()
		if n.Add(1)%int64(every) == 0 {
			select {
			case window <- c.refresher():
			case <-chosen.Done():
			}
		}
		pause(ctx, commitLag)
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// gone: its bridge has ended, or is about to, and it was not replaced yet.
func (m *member) gone() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.host.ended:
		return true
	default:
		return m.ending != ""
	}
}

func (c *crowd) byPID(pid int) *member {
	i := slices.IndexFunc(c.members, func(m *member) bool { return m.host.cmd.Process.Pid == pid })
	if i < 0 {
		return nil
	}
	return c.members[i]
}

// Rotation with reuse detection: one refresh token that is used twice ends the
// login for all.
func TestBridges_endedByTheirHosts_shareOneLogin(t *testing.T) {
	t.Parallel()
	c := startCrowd(t, shortTokens())
	ends, n := []string{byEOF, bySignal}, 0
	random, hits := c.run(1, func(m *member) {
		n++
		m.end(ends[n%len(ends)])
	})
	if hits == 0 {
		t.Error("nobody was ended while it refreshed")
	}
	t.Logf("%v: %d bridges; ended %d at random, %d while they refreshed", crowdTime(t), c.lives, random, hits)
	c.well()
	c.stop()
	c.w.noLeaks(c.sb.Secrets())
}

// well checks that each expiry made one refresh, and that no call was lost.
func (c *crowd) well() {
	t := c.w.t
	t.Helper()
	all := c.refreshes()
	for i := range all {
		if i > 0 && all[i].Time.Sub(all[i-1].Time) < shortLife-shortLife/4 {
			t.Errorf("refresh %d came %v after the one before: the token had not expired", i+1, all[i].Time.Sub(all[i-1].Time))
		}
	}
	good, twice := count(all, http.StatusOK), c.sb.Log().RefreshCollisions()
	if len(all) < 2 || good != len(all) || twice != 0 || c.signIns() != 0 {
		t.Errorf("%d refreshes, %d good; %d tokens used twice, %d sign-ins", len(all), good, twice, c.signIns())
	}
	for what, n := range c.tally {
		if what != answered && what != overtaken && (what != cutShort || !c.slow) {
			t.Errorf("%d calls: %s", n, what)
		}
	}
	t.Logf("%d refreshes, %d of them refused, %d refresh tokens used twice, %d sign-ins; calls: %v", len(all), len(all)-good, twice, c.signIns(), c.tally)
}
