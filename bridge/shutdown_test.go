package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

func TestEOF_idle_endsAtOnceAndClosesTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := &fake{listen: func(ctx context.Context, _ func(jsonmsg.Message)) { <-ctx.Done() }}
		h := start(t, bridge.Config{Remote: up})
		h.send(initialize, inited)
		h.next()
		synctest.Wait()
		if took, rest := h.eof(); took != 0 || len(rest) != 0 || up.closed != 1 {
			t.Errorf("after %s, %q, closed %d times", took, rest, up.closed)
		}
	})
}

// Everything may come in one gulp, with the end of the input right behind.
func TestEOF_pipedIn_allIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := start(t, bridge.Config{Remote: &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			time.Sleep(500 * time.Millisecond)
			return echo(ctx, m, h)
		}}})
		h.send(initialize, inited, `{"id":1,"method":"tools/list"}`)
		took, rest := h.eof()
		if diff := cmp.Diff([]string{`{"id":0,"result":{}}`, `{"id":1,"result":{}}`}, rest); diff != "" || took != 1500*time.Millisecond {
			t.Error(took, diff)
		}
	})
}

func TestEOF_hangingCall_givenUpAfter2SecondsWithAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := start(t, bridge.Config{Remote: &fake{on: func(ctx context.Context, _ jsonmsg.Message, _ remote.Hooks) error {
			<-ctx.Done()
			return &remote.Error{Kind: remote.KindUnknownOutcome}
		}}})
		h.send(slow)
		took, rest := h.eof()
		if took != 2*time.Second || len(rest) != 1 || !strings.Contains(rest[0], `"unknown_outcome"`) {
			t.Error(took, rest)
		}
	})
}

func TestSignal_endsLikeEOF(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			time.Sleep(time.Second)
			return echo(ctx, m, h)
		}}
		h := start(t, bridge.Config{Remote: up})
		h.send(slow)
		synctest.Wait()
		since := time.Now()
		h.cancel()
		h.expect(`{"id":1,"result":{}}`)
		if err := <-h.ended; err != nil || time.Since(since) != time.Second || up.closed != 1 {
			t.Error(err, time.Since(since), up.closed)
		}
	})
}

// A host that neither reads nor closes must not keep the process.
func TestSignal_hostDoesNotRead_goneWithin3Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inR, inW := io.Pipe()
		outR, outW := io.Pipe()
		defer outR.Close()
		defer inW.Close()
		ctx, cancel := context.WithCancel(t.Context())
		up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			for ctx.Err() == nil {
				h.Deliver(scan(`{"method":"notifications/flood"}`))
			}
			return &remote.Error{Kind: remote.KindUnknownOutcome}
		}}
		ended := make(chan error)
		go func() { ended <- bridge.Run(ctx, bridge.Config{In: inR, Out: outW, Remote: up}) }()
		_, _ = io.WriteString(inW, slow+"\n")
		synctest.Wait()
		since := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(since) > 3*time.Second {
			t.Error(err, time.Since(since))
		}
	})
}

//oauth:row X24 bridge/output.go "o.used > 0 && o.used+cost(line) > slots" => "false"
func TestOutput_hostReadsSlowly_serverWaits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size, most int
	}{"small": {10, 256}, "1 MiB": {1 << 20, 16}, "17 MiB": {17 << 20, 1}} {
		synctest.Test(t, func(t *testing.T) {
			inR, inW := io.Pipe()
			outR, outW := io.Pipe()
			var queued atomic.Int64
			m := scan(`{"method":"` + strings.Repeat("n", c.size) + `"}`)
			up := &fake{on: func(ctx context.Context, req jsonmsg.Message, h remote.Hooks) error {
				for range 1000 {
					h.Deliver(m)
					if ctx.Err() != nil {
						break
					}
					queued.Add(1)
				}
				return errors.New("done")
			}}
			ended := make(chan error)
			go func() { ended <- bridge.Run(t.Context(), bridge.Config{In: inR, Out: outW, Remote: up}) }()
			for id := range 3 { // one of them writes, and waits for the host
				_, _ = fmt.Fprintf(inW, `{"id":%d,"method":"tools/call"}`+"\n", id)
			}
			synctest.Wait()
			if n := int(queued.Load()); n == 0 && c.most > 1 || n > c.most {
				t.Errorf("%s: %d messages wait for the host", name, n)
			}
			outR.Close()
			if err := <-ended; err == nil {
				t.Error("a closed output is no error")
			}
			inW.Close()
		})
	}
}

func TestOutput_closedByTheHost_endsTheRun(t *testing.T) {
	t.Parallel()
	inR, inW := io.Pipe()
	defer inW.Close()
	outR, outW := io.Pipe()
	outR.Close()
	ended := make(chan error)
	go func() {
		ended <- bridge.Run(t.Context(), bridge.Config{In: inR, Out: outW, Remote: &fake{}})
	}()
	_, _ = io.WriteString(inW, slow+"\n")
	if err := <-ended; !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestRun_incompleteConfig_refused(t *testing.T) {
	t.Parallel()
	if err := bridge.Run(t.Context(), bridge.Config{}); err == nil {
		t.Error("no error")
	}
}
