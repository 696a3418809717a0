package remote

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
	spread     = 10 * time.Second // how far apart bridges come back that lost their stream together
	minRetry   = 100 * time.Millisecond
	maxRetry   = 5 * time.Minute
)

// backoff gives the pauses between openings of the GET stream: 1 s doubling to
// 30 s, each with up to as much again at random and 10 s at least, so that a
// million bridges do not come back at once (RELAY S3; docs/benchmarks.md reckons
// it). The zero value is ready.
type backoff struct {
	base   time.Duration
	worked bool
}

// reset starts afresh after a stream that worked.
func (b *backoff) reset() { *b = backoff{worked: true} }

// next returns the pause before the next opening. retry is what the server
// named for the stream that ended; it replaces the first pause after a stream
// that worked, and is never gone below.
func (b *backoff) next(retry time.Duration) time.Duration {
	worked := b.worked
	b.worked = false
	b.base = min(max(2*b.base, firstPause), lastPause)
	if retry > 0 {
		retry = min(max(retry, minRetry), maxRetry)
		if worked {
			return retry + jitter(retry/5)
		}
	}
	return max(retry, b.base+jitter(max(b.base, spread)))
}

// jitter returns a random time from 0 to upTo.
func jitter(upTo time.Duration) time.Duration {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	share := float64(binary.NativeEndian.Uint64(b[:])>>11) / (1 << 53)
	return time.Duration(share * float64(upTo))
}
