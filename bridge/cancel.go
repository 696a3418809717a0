package bridge

import (
	"context"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// cancelGrace is how long the server may take to end a cancelled request
// (RELAY O4).
const cancelGrace = 5 * time.Second

// cancel ends a flight at the host's wish. What was not sent will not be; what
// was is cancelled at the server too, after it has been written (RELAY O4).
// initialize is never cancelled there, nor what is answered already (L9).
func (b *bridge) cancel(m jsonmsg.Message) {
	f := b.flights.find(jsonmsg.Key(m.CancelID))
	if f == nil {
		return
	}
	written := f.cancel()
	// In the modern era the end of the stream says it (RELAY O4).
	if written == nil || f.msg.Modern() || f.msg.Method == methodInitialize || !b.work.begin() {
		f.stop()
		f.paid()
		return
	}
	b.tasks.Go(func() {
		defer b.work.end()
		select {
		case <-written:
			_ = b.post(m) // it has been logged
		case <-f.ctx.Done():
		}
	})
	f.paid()
	grace := time.AfterFunc(cancelGrace, f.stop)
	context.AfterFunc(f.ctx, func() { grace.Stop() })
}
