package fault

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

const (
	mib = 1 << 20
	// floodSize is what a flood sends to who takes it all.
	floodSize = 64 * mib
)

// Flood answers with the beginning of a JSON object and 64 MiB of filler, and
// adds what somebody took of it to sent, in bytes.
func Flood(sent *atomic.Int64) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"issuer":"`)
		filler := []byte(strings.Repeat("a", mib/16))
		for range floodSize / len(filler) {
			n, err := w.Write(filler)
			sent.Add(int64(n))
			if err != nil {
				return // they have had enough
			}
		}
	}
}

// Bomb answers with a megabyte of gzip, asked for or not, that becomes a
// gigabyte (OAUTH X14).
func Bomb() Fault {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that exists
	_, _ = z.Write(bytes.Repeat([]byte(" "), 16*mib))
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		for range 64 {
			if _, err := w.Write(b.Bytes()); err != nil { // gzip members follow each other
				return
			}
		}
	}
}

// EndlessHeader sends header lines for as long as somebody takes them.
func EndlessHeader() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		c, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return // HTTP/2
		}
		defer c.Close()
		_, err = buf.WriteString("HTTP/1.1 200 OK\r\n")
		for err == nil {
			_, err = buf.WriteString("X-Filler: " + strings.Repeat("a", 1000) + "\r\n")
		}
	}
}
