package bridge_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/logfile"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

// answering is a server that answers each call with size bytes, as JSON or SSE.
func answering(b *testing.B, size int, sse bool) string {
	b.Helper()
	filler := strings.Repeat("a", size)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m, _ := jsonmsg.Scan(body)
		answer := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"%s"}]}}`, m.ID, filler)
		if m.Method == "tools/list" {
			answer = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"x","annotations":{"readOnlyHint":true}}]}}`, m.ID)
		}
		if sse {
			w.Header().Set("Content-Type", "text/event-stream")
			answer = "event: message\ndata: " + answer + "\n\n"
		} else {
			w.Header().Set("Content-Type", "application/json")
		}
		_, _ = io.WriteString(w, answer)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

const benchCall = `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"x","arguments":{}}}`

// BenchmarkCall compares one call after the other: by plain HTTP, and through
// the bridge over real pipes.
func BenchmarkCall(b *testing.B) {
	for _, size := range []int{1 << 10, 10 << 20} {
		for name, sse := range map[string]bool{"JSON": false, "SSE": true} {
			b.Run(fmt.Sprintf("%s/%dKiB/direct", name, size>>10), func(b *testing.B) { direct(b, answering(b, size, sse)) })
			b.Run(fmt.Sprintf("%s/%dKiB/bridge", name, size>>10), func(b *testing.B) { bridged(b, answering(b, size, sse), bridge.Config{}) })
		}
	}
	b.Run("JSON/1KiB/bridge with a log", func(b *testing.B) { bridged(b, answering(b, 1<<10, false), bridge.Config{Log: fileLog(b)}) })
	b.Run("JSON/1KiB/bridge with a journal", func(b *testing.B) {
		_, j := newJournal(b)
		bridged(b, answering(b, 1<<10, false), bridge.Config{Journal: j}) // without a list each call is a write
	})
}

// fileLog is the log as the bridge of the command line has it.
func fileLog(b *testing.B) *slog.Logger {
	b.Helper()
	dir := b.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	w := logfile.Open(logfile.Path(dir, "default"), func(err error) { b.Error(err) })
	b.Cleanup(func() { w.Close(time.Minute) })
	return slog.New(redact.NewHandler(slog.NewTextHandler(w, nil)))
}

func direct(b *testing.B, url string) {
	b.Helper()
	c := &http.Client{Transport: &http.Transport{}}
	defer c.CloseIdleConnections()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(fmt.Sprintf(benchCall, i)))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		resp, err := c.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}

func bridged(b *testing.B, url string, c bridge.Config) {
	b.Helper()
	tr := &http.Transport{MaxIdleConnsPerHost: 64}
	up, err := remote.New(remote.Config{Endpoint: url, HTTP: tr})
	if err != nil {
		b.Fatal(err)
	}
	inR, inW, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		c.In, c.Out, c.Remote = inR, outW, up
		ended <- bridge.Run(context.Background(), c)
	}()
	out := bufio.NewReaderSize(outR, 64<<10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		fmt.Fprintf(inW, benchCall+"\n", i)
		for more := true; more; {
			if _, more, err = out.ReadLine(); err != nil {
				b.Fatal(err)
			}
		}
	}
	inW.Close()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	tr.CloseIdleConnections()
	outR.Close()
}

// BenchmarkBrakes compares a call without a policy with one that is judged.
func BenchmarkBrakes(b *testing.B) {
	for name, rules := range map[string]policy.Rules{"none": {}, "read-only": {ReadOnly: true}} {
		b.Run(name, func(b *testing.B) { bridged(b, answering(b, 1<<10, false), bridge.Config{Policy: policy.New(rules)}) })
	}
}
