package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The measures, as the board names them. Those of calls in flight have the
// number behind them.
const (
	msStart    = "start"
	msCPU      = "start cpu"
	usP50JSON  = "p50 json"
	usP99JSON  = "p99 json"
	usP50SSE   = "p50 sse"
	usP99SSE   = "p99 sse"
	perSecond  = "rate " // + calls in flight
	cpuLoad    = "cpu "  // + calls in flight
	mbIdle     = "idle memory"
	mbLoad     = "load memory"
	mbBig      = "big memory"
	msDownload = "big answer json"
	msStream   = "big answer sse"
	msUpload   = "big request"
	usBeside   = "beside"
	usWorst    = "beside, worst"
)

// big is the size of the big messages: less than 10 MiB, over which mcp-remote
// throws a line away and never answers it.
const big = 10_000_000

// slow is how long the slow call takes, in milliseconds.
const slow = 3000

// bench is one run.
type bench struct {
	*world
	board

	rounds int
	costs  map[string]cost
}

// open starts a subject and makes it ready for calls.
func (b *bench) open(ctx context.Context, s *subject) (link, int, error) {
	l, err := s.start(ctx)
	if err != nil {
		return nil, 0, err
	}
	p, ok := l.(*pipe)
	if !ok {
		return l, 0, nil
	}
	if err := p.greet(); err != nil {
		return nil, 0, errors.Join(err, l.close())
	}
	return l, p.cmd.Process.Pid, nil
}

// with runs measure on a fresh start of each subject.
func (b *bench) with(ctx context.Context, round int, measure func(s *subject, l link, pid int) error) error {
	for _, s := range b.turn(round) {
		l, pid, err := b.open(ctx, s)
		if err == nil {
			err = errors.Join(measure(s, l, pid), l.close())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// starts measures from the start of the process to the answer to initialize.
func (b *bench) starts(ctx context.Context) error {
	const starts, slowStarts = 20, 5 // mcp-remote takes a second or more
	for i := range starts {
		for _, s := range b.turn(i) {
			if s.name == mcpRemote && i >= slowStarts {
				continue
			}
			begun := time.Now()
			l, err := s.start(ctx)
			if err != nil {
				return err
			}
			_, err = l.ask([]byte(initialize))
			b.add(msStart, s.name, ms(time.Since(begun)))
			if err = errors.Join(err, l.close()); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if p, ok := l.(*pipe); ok {
				b.add(msCPU, s.name, spent(p.cmd))
			}
		}
	}
	return nil
}

// running is a subject that is ready for calls.
type running struct {
	*subject
	link

	pid int // 0: plain HTTP has no process of its own
}

// together opens all subjects and lets them take turns in short steps, so that
// what else the machine does meets all of them alike.
func (b *bench) together(ctx context.Context, steps ...func(running) error) error {
	var all []running
	for _, s := range b.subjects {
		l, pid, err := b.open(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, running{s, l, pid})
	}
	for round := range b.rounds {
		for _, step := range steps {
			for i := range all {
				r := all[(round+i)%len(all)] // another one first in each round
				if err := step(r); err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
			}
		}
	}
	var errs error
	for _, r := range all {
		errs = errors.Join(errs, r.close())
	}
	return errs
}

// latency measures calls that go one after the other.
func (b *bench) latency(ctx context.Context) error {
	return b.together(ctx,
		func(r running) error { return b.sequence(r, call("json", 1<<10, 0), usP50JSON, usP99JSON) },
		func(r running) error { return b.sequence(r, call("sse", 1<<10, 0), usP50SSE, usP99SSE) })
}

func (b *bench) sequence(r running, request func(int) []byte, p50, p99 string) error {
	const warm, calls = 50, 500
	const limit = 3 * time.Second // for a slow subject
	var took []float64
	begun := time.Now()
	for id := 1; id <= warm+calls && (time.Since(begun) < limit || len(took) < warm); id++ {
		at := time.Now()
		if _, err := r.ask(request(id)); err != nil {
			return err
		}
		if id > warm {
			took = append(took, us(time.Since(at)))
		}
	}
	b.add(p50, r.name, quantile(took, 0.5))
	b.add(p99, r.name, quantile(took, 0.99))
	return nil
}

func levels() []int { return []int{1, 16, 64, 256} }

// throughput measures calls per second, and the CPU time that they take.
func (b *bench) throughput(ctx context.Context) error {
	var steps []func(running) error
	for _, n := range levels() {
		steps = append(steps, func(r running) error { return b.load(r, n) })
	}
	return b.together(ctx, steps...)
}

func (b *bench) load(r running, inFlight int) error {
	const window = 700 * time.Millisecond
	if _, err := r.flood(inFlight, window/10, call("json", 1<<10, 0)); err != nil { // warm
		return err
	}
	var before, after time.Duration
	var err error
	if r.pid != 0 {
		if before, err = cpu(r.pid); err != nil {
			return err
		}
	}
	begun := time.Now()
	calls, err := r.flood(inFlight, window, call("json", 1<<10, 0))
	if err != nil {
		return err
	}
	b.add(fmt.Sprint(perSecond, inFlight), r.name, float64(calls)/time.Since(begun).Seconds())
	if r.pid == 0 {
		return nil
	}
	after, err = cpu(r.pid)
	b.add(fmt.Sprint(cpuLoad, inFlight), r.name, (after-before).Seconds()*10_000/float64(calls))
	return err
}

// resident measures memory: after initialize, and the most under load.
func (b *bench) resident(ctx context.Context) error {
	for round := range b.rounds {
		err := b.with(ctx, round, func(s *subject, l link, pid int) error {
			if pid == 0 {
				return nil
			}
			time.Sleep(time.Second) // idle is what is left when nothing happens
			idle, err := memory(pid, "VmRSS")
			if err != nil {
				return err
			}
			if _, err := l.flood(64, time.Second, call("json", 1<<10, 0)); err != nil {
				return err
			}
			peak, err := memory(pid, "VmHWM")
			b.add(mbIdle, s.name, idle)
			b.add(mbLoad, s.name, peak)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// bigMessages measures the time and the memory that 10 MB take, each way.
func (b *bench) bigMessages(ctx context.Context) error {
	const tooLong = 15 * time.Second
	steps := []struct {
		measure string
		request func(int) []byte
	}{{msDownload, call("json", big, 0)}, {msStream, call("sse", big, 0)}, {msUpload, upload(big)}}
	for round := range b.rounds {
		err := b.with(ctx, round, func(s *subject, l link, pid int) error {
			turns := 3
			if s.name == mcpRemote {
				turns = 1 // each takes it seconds
			}
			for i := range turns * len(steps) {
				step := steps[i%len(steps)]
				request := step.request(i + 1)
				at := time.Now()
				if _, err := l.ask(request); err != nil {
					return err
				}
				b.add(step.measure, s.name, ms(time.Since(at)))
				if time.Since(at) > tooLong {
					break // one figure says enough
				}
			}
			if pid == 0 {
				return nil
			}
			peak, err := memory(pid, "VmHWM")
			b.add(mbBig, s.name, peak)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// beside measures calls while another one takes three seconds.
func (b *bench) beside(ctx context.Context) error {
	const watch = 2500 * time.Millisecond
	return b.with(ctx, 0, func(s *subject, l link, _ int) error {
		wait, err := l.begin(call("json", 1<<10, slow)(1))
		if err != nil {
			return err
		}
		var took []float64
		for begun := time.Now(); time.Since(begun) < watch; {
			at := time.Now()
			if _, err := l.ask(call("json", 1<<10, 0)(len(took) + 2)); err != nil {
				return err
			}
			took = append(took, us(time.Since(at)))
			time.Sleep(5 * time.Millisecond) // a person is not faster either
		}
		b.add(usBeside, s.name, quantile(took, 0.5))
		b.add(usWorst, s.name, quantile(took, 1))
		return wait()
	})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
