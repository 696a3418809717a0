package bridge

// mostIdle is how many goroutines wait for the next request: as many as a busy host
// has in flight at once.
const mostIdle = 64

// workers are the goroutines that serve requests. One that has served waits for the
// next: a new one has a small stack, and copying it as it grows takes 8 % of the
// processor time of a call.
type workers struct {
	next chan func()
	idle chan struct{} // has room for those that wait
}

func newWorkers() workers {
	return workers{next: make(chan func()), idle: make(chan struct{}, mostIdle)}
}

// begin has one of them do it, now.
func (b *bridge) begin(do func()) {
	select {
	case b.workers.next <- do:
	default:
		b.tasks.Go(func() { b.keepWorking(do) })
	}
}

// keepWorking does one thing after the other until there are enough idle ones or the
// run ends.
func (b *bridge) keepWorking(do func()) {
	for do != nil {
		do()
		do = b.nextWork()
	}
}

func (b *bridge) nextWork() func() {
	select {
	case b.workers.idle <- struct{}{}:
		defer func() { <-b.workers.idle }()
	default:
		return nil
	}
	select {
	case do := <-b.workers.next:
		return do
	case <-b.ctx.Done():
		return nil
	}
}
