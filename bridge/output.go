package bridge

import (
	"bufio"
	"context"
	"io"
)

const (
	// The queue to the host holds 256 messages or 16 MiB, whichever is less
	// (RELAY B11): each message takes one slot for each slotSize bytes begun.
	slots    = 256
	slotSize = 64 << 10
)

// output is the one writer to the host (RELAY O8). A host that does not read
// makes send wait, and with it the answer that is being read from the server.
type output struct {
	queue   chan []byte
	used    chan struct{} // holds a token for each slot in use
	turn    chan struct{} // held while slots are taken, so that two big messages cannot starve each other
	failed  chan struct{} // closed when the host can no longer be written to
	closing chan struct{} // closed when nothing more is taken
	done    chan struct{} // closed when the writer has ended
	err     error         // why it failed; read after failed
}

func newOutput(w io.Writer) *output {
	o := &output{
		queue:   make(chan []byte, slots),
		used:    make(chan struct{}, slots),
		turn:    make(chan struct{}, 1),
		failed:  make(chan struct{}),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	go o.write(w)
	return o
}

// send queues one message of one line. It drops it when ctx ends, the host is
// gone, or the bridge is closing.
func (o *output) send(ctx context.Context, line []byte) {
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return
	case <-o.closing:
		return
	}
	defer func() { <-o.turn }()
	for taken := range cost(line) {
		select {
		case o.used <- struct{}{}:
			continue
		case <-ctx.Done():
		case <-o.closing:
		case <-o.failed:
		}
		o.release(taken)
		return
	}
	o.queue <- line // has room: a message holds at least one slot
}

// cost is how many slots a message takes; the biggest takes them all.
func cost(line []byte) int { return min(1+len(line)/slotSize, slots) }

func (o *output) release(n int) {
	for range n {
		<-o.used
	}
}

// close lets the writer end after what is queued; done tells when.
func (o *output) close() { close(o.closing) }

func (o *output) write(w io.Writer) {
	defer close(o.done)
	out := bufio.NewWriterSize(w, slotSize)
	for {
		select {
		case line := <-o.queue:
			o.put(out, line)
		case <-o.closing:
			if len(o.queue) == 0 {
				return
			}
		}
	}
}

// put writes one message, and what is buffered when no other waits.
func (o *output) put(out *bufio.Writer, line []byte) {
	defer o.release(cost(line))
	if o.err != nil {
		return
	}
	_, err := out.Write(line)
	if err == nil {
		err = out.WriteByte('\n')
	}
	if err == nil && len(o.queue) == 0 {
		err = out.Flush()
	}
	if err != nil {
		o.err = err
		close(o.failed)
	}
}
