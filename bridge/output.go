package bridge

import (
	"bufio"
	"context"
	"io"
	"sync"
)

const (
	// What waits for the host is 256 messages or 16 MiB, whichever is less (RELAY
	// B11): each message takes one slot for each slotSize bytes begun.
	slots    = 256
	slotSize = 64 << 10
)

// output is the one way to the host (RELAY O8). Who sends while nobody writes
// becomes the writer, so that a lone message needs no other goroutine to wake;
// what is sent meanwhile is written together. A host that does not read makes
// send wait, and with it the answer that is being read from the server.
type output struct {
	turn   chan struct{} // held while waiting for room, so that a big message is not starved by small ones
	failed chan struct{} // closed when the host can no longer be written to
	done   chan struct{} // closed when all is written after close
	err    error         // why it failed; read after failed

	mu      sync.Mutex
	queue   [][]byte
	used    int           // slots
	waiting bool          // somebody holds the turn
	room    chan struct{} // closed when slots become free; nil: nobody waits
	writing bool
	closed  bool
	out     *bufio.Writer // of the one who writes
}

func newOutput(w io.Writer) *output {
	return &output{
		turn: make(chan struct{}, 1), failed: make(chan struct{}), done: make(chan struct{}),
		out: bufio.NewWriterSize(w, slotSize),
	}
}

// send writes one message of one line, or leaves it to the one who writes. It
// drops it when ctx ends, the host is gone, or the bridge is closing.
func (o *output) send(ctx context.Context, line []byte) {
	taken, write := o.take(line, false)
	if !taken {
		write = o.wait(ctx, line)
	}
	if write && o.writeBatch() {
		// Whoever sent first has a flight to end; the rest is for nobody in particular.
		go func() {
			for o.writeBatch() {
			}
		}()
	}
}

// take puts a message into the queue if there is room, or drops it if nothing is
// taken any more. write: the caller is the writer now.
func (o *output) take(line []byte, myTurn bool) (taken, write bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed || isClosed(o.failed):
		return true, false
	case o.waiting && !myTurn, o.used > 0 && o.used+cost(line) > slots:
		return false, false
	}
	o.queue = append(o.queue, line)
	o.used += cost(line)
	write = !o.writing
	o.writing = true
	return true, write
}

// wait takes the message as soon as there is room for it.
func (o *output) wait(ctx context.Context, line []byte) (write bool) {
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	o.setWaiting(true)
	defer func() { o.setWaiting(false); <-o.turn }()
	for {
		room := o.nextRoom()
		if taken, write := o.take(line, true); taken {
			return write
		}
		select {
		case <-room:
		case <-ctx.Done():
			return false
		}
	}
}

func (o *output) setWaiting(waiting bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = waiting
}

// nextRoom returns what closes when slots become free the next time.
func (o *output) nextRoom() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.room == nil {
		o.room = make(chan struct{})
	}
	return o.room
}

// cost is how many slots a message takes; the biggest takes them all.
func cost(line []byte) int { return min(1+len(line)/slotSize, slots) }

// writeBatch writes what waits. more: the caller has to go on, because more has
// come meanwhile.
func (o *output) writeBatch() (more bool) {
	o.mu.Lock()
	batch := o.queue
	o.queue = nil
	o.mu.Unlock()
	err := o.write(batch)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, line := range batch {
		o.used -= cost(line)
	}
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
	if err != nil && !isClosed(o.failed) {
		o.err = err
		close(o.failed)
	}
	if len(o.queue) > 0 {
		return true
	}
	o.writing = false
	o.finish()
	return false
}

func (o *output) write(batch [][]byte) error {
	for _, line := range batch {
		if _, err := o.out.Write(line); err != nil {
			return err
		}
		if err := o.out.WriteByte('\n'); err != nil {
			return err
		}
	}
	return o.out.Flush()
}

// close takes nothing more; done tells when all that was taken is written.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.room != nil {
		close(o.room) // whoever waits learns that nothing is taken
		o.room = nil
	}
	o.finish()
}

// finish closes done if it is time; mu is held.
func (o *output) finish() {
	if o.closed && !o.writing && !isClosed(o.done) {
		close(o.done)
	}
}
