package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// cost is what a subject costs the server in the phases of its life.
type cost struct{ start, calls, idle, end counts }

const (
	costCalls = 100
	idleWatch = 20 * time.Second
	settle    = 500 * time.Millisecond // for what a bridge does after it has answered
)

// serverCosts counts what each bridge asks of the server.
func (b *bench) serverCosts(ctx context.Context) error {
	b.costs = map[string]cost{}
	type paying struct {
		*subject
		link
		cost cost
		at   counts
	}
	var all []*paying
	for _, s := range b.subjects {
		r := &paying{subject: s}
		var err error
		if r.at, err = s.counts(ctx); err != nil {
			return err
		}
		if r.link, _, err = b.open(ctx, s); err != nil {
			return err
		}
		all = append(all, r)
	}
	// phase notes what came since the last one, after a while in which nothing is asked.
	phase := func(wait time.Duration, note func(*paying, counts)) error {
		time.Sleep(wait)
		for _, r := range all {
			now, err := r.counts(ctx)
			if err != nil {
				return err
			}
			now.Connections-- // that of the question itself
			note(r, now.minus(r.at))
			now.Connections++
			r.at = now
		}
		return nil
	}
	if err := phase(settle, func(r *paying, c counts) { r.cost.start = c }); err != nil {
		return err
	}
	for _, r := range all {
		for id := range costCalls {
			if _, err := r.ask(call("json", 1<<10, 0)(id + 1)); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	if err := phase(settle, func(r *paying, c counts) { r.cost.calls = c }); err != nil {
		return err
	}
	if err := phase(idleWatch, func(r *paying, c counts) { r.cost.idle = c }); err != nil {
		return err
	}
	for _, r := range all {
		if err := r.close(); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return phase(settle, func(r *paying, c counts) {
		r.cost.end = c
		b.costs[r.name] = r.cost
	})
}

// counts asks the subject's server, on a connection for this alone.
func (s *subject) counts(ctx context.Context) (counts, error) {
	var c counts
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.url, endpoint)+"/counts", nil)
	if err != nil {
		return c, err
	}
	r.Close = true
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(r)
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	return c, json.NewDecoder(resp.Body).Decode(&c)
}
