package remote

import (
	"sync"
	"time"
)

// sleepJump is how much further the wall clock may have gone than the monotonic
// one before we take it that the computer slept (RELAY S2).
const sleepJump = 30 * time.Second

// clock notices that the computer slept: the monotonic clock stands still
// meanwhile on most systems. Where it does not, HTTP/2 pings find out.
type clock struct {
	mu   sync.Mutex
	last time.Time
}

// slept reports whether the computer slept since it was asked last.
func (c *clock) slept(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.last
	c.last = now
	return !last.IsZero() && jumped(now.Round(0).Sub(last.Round(0)), now.Sub(last))
}

// jumped compares how far the two clocks went.
func jumped(wall, monotonic time.Duration) bool { return wall-monotonic > sleepJump }

// awake drops the connections from before a sleep, which are likely dead, so
// that the next request does not wait for one.
func (c *Client) awake(now time.Time) {
	if c.clock.slept(now) {
		c.closeIdle()
	}
}
