package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// hostile is an MCP server that asks for no token and answers each method of
// its own in its own bad way.
type hostile struct {
	*httptest.Server

	sent atomic.Int64 // notifications of a flood that were written
}

const mib = 1 << 20

// startHostile serves until the test ends.
func startHostile(t *testing.T) *hostile {
	t.Helper()
	s := &hostile{}
	bomb := deflated(16 * mib)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			ID     json.RawMessage
			Method string
		}
		if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&m) != nil || m.ID == nil {
			w.WriteHeader(map[bool]int{true: http.StatusAccepted, false: http.StatusMethodNotAllowed}[r.Method == http.MethodPost])
			return
		}
		head := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"text":"`, m.ID)
		switch m.Method {
		case "x/json-bomb", "x/sse-bomb":
			inflate(w, m.Method == "x/sse-bomb", head, bomb)
		case "x/json-long", "x/event-long":
			long(w, m.Method == "x/event-long", head)
		case "x/flood":
			s.flood(w, head)
		case "x/header":
			endlessHeader(w)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, head+`"}}`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// deflated is n bytes of filler as one gzip member; members may follow each other.
func deflated(n int) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that exists
	_, _ = z.Write(bytes.Repeat([]byte("a"), n))
	_ = z.Close()
	return b.Bytes()
}

// inflate answers with a megabyte that becomes more than a gigabyte.
func inflate(w http.ResponseWriter, stream bool, head string, member []byte) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "application/json")
	if stream {
		w.Header().Set("Content-Type", "text/event-stream")
		head = "data: " + head
	}
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, head)
	_ = z.Close()
	for range 70 {
		if _, err := w.Write(member); err != nil {
			return
		}
	}
	z.Reset(w)
	_, _ = io.WriteString(z, "\"}}\n\n")
	_ = z.Close()
}

// long answers with 100 MB in one piece.
func long(w http.ResponseWriter, stream bool, head string) {
	w.Header().Set("Content-Type", "application/json")
	if stream {
		w.Header().Set("Content-Type", "text/event-stream")
		head = "data: " + head
	}
	_, _ = io.WriteString(w, head)
	filler := strings.Repeat("a", mib)
	for range 100 {
		if _, err := io.WriteString(w, filler); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, "\"}}\n\n")
}

// floodSize is how many notifications a flood has, at 200 bytes each.
const floodSize = 1_000_000

// flood answers after a million notifications.
func (s *hostile) flood(w http.ResponseWriter, head string) {
	w.Header().Set("Content-Type", "text/event-stream")
	filler := strings.Repeat("a", 120)
	for i := range floodSize {
		_, err := fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"n\":%d,\"data\":%q}}\n\n", i, filler)
		if err != nil {
			return
		}
		s.sent.Add(1)
	}
	_, _ = io.WriteString(w, "data: "+head+"\"}}\n\n")
}

// endlessHeader sends header lines for as long as somebody takes them.
func endlessHeader(w http.ResponseWriter) {
	c, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_, err = buf.WriteString("HTTP/1.1 200 OK\r\n")
	for err == nil {
		_, err = buf.WriteString("X-Filler: " + strings.Repeat("a", 1000) + "\r\n")
	}
}
