package diagnose

import (
	"context"
	"time"
)

// Findings are what a check found.
type Findings struct {
	Lines []Line
	Facts []Fact
	Log   []string
}

// Found are the findings of a check that has lines only.
func Found(lines ...Line) Findings { return Findings{Lines: lines} }

// Check is one look at something. Checks run at once, so one that needs another
// waits for it by a means of its own.
type Check struct {
	// ID, Side and Next make the fault of a check that does not end.
	ID   string
	Side Side
	Next string
	// Do looks, and heeds ctx as well as it can.
	Do func(ctx context.Context) Findings
}

// grace is what a check has after the end of the time to say what it saw.
const grace = time.Second

// Run runs all checks at once, and returns what they found in their order. A check
// that has not ended a second after ctx is a fault: nothing can end a call of a
// library that hangs, and its goroutine is left alone.
func Run(ctx context.Context, checks []Check) Findings {
	results := make([]chan Findings, len(checks))
	for i, c := range checks {
		results[i] = make(chan Findings, 1)
		go func() { results[i] <- c.Do(ctx) }()
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, func() { close(over) })
	})
	defer stop()
	all := Findings{Lines: []Line{}, Facts: []Fact{}, Log: []string{}} // JSON has lists
	for i, c := range checks {
		found := c.await(results[i], over)
		all.Lines = append(all.Lines, found.Lines...)
		all.Facts = append(all.Facts, found.Facts...)
		all.Log = append(all.Log, found.Log...)
	}
	return all
}

func (c Check) await(result <-chan Findings, over <-chan struct{}) Findings {
	select {
	case found := <-result:
		return found
	case <-over:
	}
	select {
	case found := <-result: // both were there: what was found counts
		return found
	default:
		return Found(Line{ID: c.ID, Result: Fault, Side: c.Side, Text: "this check did not end in time", Next: c.Next})
	}
}
