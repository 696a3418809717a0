package bridge

import "sync"

// work counts what is owed to the host and to the server, so that closing can
// wait for it, and no longer than for it.
type work struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // made by close; closed when nothing is owed
}

// begin takes on one piece of work; false: the bridge is closing.
func (w *work) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle != nil {
		return false
	}
	w.n++
	return true
}

func (w *work) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n--; w.n == 0 && w.idle != nil {
		close(w.idle)
	}
}

// close takes on no more, and returns a channel that closes when all is done.
func (w *work) close() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = make(chan struct{})
	if w.n == 0 {
		close(w.idle)
	}
	return w.idle
}
