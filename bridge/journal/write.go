package journal

import (
	"log/slog"
	"slices"
	"time"
)

// Calls that come together are written and synced together: while one writing
// waits for the disk, the lines of others are collected for the next one.

// add puts lines into the next writing, and returns it.
func (j *Journal) add(begins, ends []byte) *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.next == nil {
		j.next = &batch{done: make(chan struct{})}
	}
	b := j.next
	b.begins, b.ends = append(b.begins, begins...), append(b.ends, ends...)
	if !j.busy {
		j.busy = true
		go j.drain()
	}
	return b
}

// drain writes until nothing waits.
func (j *Journal) drain() {
	for b := j.take(); b != nil; b = j.take() {
		b.err = j.put(b)
		if b.err != nil && !j.failing {
			j.log.Warn("the journal of calls cannot be written", slog.Any("error", b.err))
		}
		j.failing = b.err != nil
		close(b.done)
	}
}

// take returns what is to be written; nil: nothing, and the caller has to stop.
func (j *Journal) take() *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	b := j.next
	j.next = nil
	if b == nil {
		j.busy = false
		if len(j.owed) > 0 && !j.closed {
			j.retry = time.AfterFunc(retryPause, func() { j.add(nil, nil) })
		}
	}
	return b
}

// put writes a batch, with what is owed from before. Of what cannot be written the
// ends are owed; those who begin are told.
func (j *Journal) put(b *batch) error {
	j.mu.Lock()
	owed := j.owed
	j.owed = nil
	j.mu.Unlock()
	err := j.store(slices.Concat(owed, b.begins, b.ends), len(b.begins) > 0)
	if err == nil {
		return nil
	}
	owed = append(owed, b.ends...)
	if len(owed) > maxOwed {
		j.log.Warn("the end of calls will not be in the journal", slog.Any("error", err))
		owed = owed[:len(owed)-len(b.ends)]
	}
	j.mu.Lock()
	j.owed = owed
	j.mu.Unlock()
	return err
}

// append writes lines, as a process that is known to run.
func (j *Journal) append(lines []byte, durable bool) error {
	if len(lines) == 0 {
		return nil
	}
	if j.release == nil {
		if err := j.file.Prepare(); err != nil {
			return err
		}
		j.runs.living() // takes away what killed ones have left
		release, err := j.runs.hold(j.run)
		if err != nil {
			return err
		}
		j.release = release
	}
	return j.file.Append(lines, durable)
}
