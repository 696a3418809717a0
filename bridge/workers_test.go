package bridge_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// Of the goroutines of a crowd of requests some wait for the next ones, and the run
// ends with all of them gone, which synctest looks after.
//
//nolint:paralleltest // It counts the goroutines of the process.
func TestWorkers_crowdOfRequests_someStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crowd, least, most = 200, 1, 64
		open := make(chan struct{})
		up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			<-open
			return echo(ctx, m, h)
		}}
		h := start(t, bridge.Config{Remote: up})
		synctest.Wait()
		before := runtime.NumGoroutine()
		for id := range crowd {
			h.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"x"}`, id))
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n < crowd {
			t.Errorf("%d goroutines more for %d requests: one waits for another", n, crowd)
		}
		close(open)
		for range crowd {
			h.next()
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n < least || n > most {
			t.Errorf("%d goroutines stay, want %d to %d", n, least, most)
		}
		h.eof()
	})
}
