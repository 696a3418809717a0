package main

import (
	"math/rand/v2"
	"time"
)

// The pauses of remote/backoff.go: 1 s doubling to 30 s, each with up to as
// much again at random, and 10 s at least.
const (
	bridges    = 1_000_000
	firstPause = 1.0
	lastPause  = 30.0
	spread     = 10.0
)

// storm is what a server gets from a million bridges whose stream it dropped.
type storm struct {
	outage time.Duration
	first  int     // most requests in one second of the first ten
	during int     // most in one later second of the outage
	after  int     // most in one second after the server is back
	back   float64 // seconds until 99 of 100 bridges are back
}

// reckon plays the pauses of all bridges. All lose their stream in the same
// moment, which is the worst case; the server refuses all until the outage is over.
func reckon(outage time.Duration) storm {
	random := rand.New(rand.NewPCG(1, uint64(outage))) // the same numbers in each run
	end := outage.Seconds()
	perSecond := make([]int, int(end)+2*int(lastPause)+2)
	returned := make([]float64, bridges)
	for i := range returned {
		at, base := 0.0, firstPause
		for {
			at += base + max(base, spread)*random.Float64()
			perSecond[int(at)]++
			if at >= end {
				break
			}
			base = min(2*base, lastPause)
		}
		returned[i] = at - end
	}
	s := storm{outage: outage, back: quantile(returned, 0.99)}
	for second, n := range perSecond {
		switch {
		case float64(second) >= end:
			s.after = max(s.after, n)
		case second < 10:
			s.first = max(s.first, n)
		default:
			s.during = max(s.during, n)
		}
	}
	return s
}
