package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

const (
	// graceLimit is how long requests in flight may still take (RELAY S7).
	graceLimit = 2 * time.Second
	// closeLimit is when the bridge is gone, whatever hangs.
	closeLimit = 2900 * time.Millisecond
	// stopLimit is how long cancelled tasks get to notice; they need no more
	// than a moment.
	stopLimit = 250 * time.Millisecond
)

// shutdown ends the run in order: what is in flight, the session, the output.
func (b *bridge) shutdown() error {
	ctx, cancel := context.WithTimeout(b.always, closeLimit)
	defer cancel()
	b.stopSigns()
	b.wait(b.work.close(), graceLimit)
	b.stop()
	b.wait(b.tasksDone(), stopLimit)
	if err := b.remote.Close(ctx); err != nil {
		b.log.LogAttrs(ctx, slog.LevelDebug, "the session was not ended", slog.Any("error", err))
	}
	b.out.close()
	select {
	case <-b.out.done:
	case <-ctx.Done():
	}
	select {
	case <-b.out.failed:
		return fmt.Errorf("writing to the host: %w", b.out.err)
	default:
		return nil
	}
}

// wait returns when done closes, the host is gone, or the time is over.
func (b *bridge) wait(done <-chan struct{}, limit time.Duration) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-done:
	case <-b.out.failed:
	case <-t.C:
	}
}

func (b *bridge) tasksDone() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.tasks.Wait()
	}()
	return done
}
