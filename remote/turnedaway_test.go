package remote_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/payu-mcp/payu-mcp/remote"
)

// Frame types of HTTP/2 (RFC 9113 section 6).
const (
	frameData     = 0
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	frameGoAway   = 7

	flagEndStream  = 1
	flagAck        = 1
	flagEndHeaders = 4
)

func frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = append(head, flags)
	return string(binary.BigEndian.AppendUint32(head, stream)) + payload
}

// http2Server speaks just enough HTTP/2 to turn requests away: turn is called
// for the nth request, and what it returns is written; "" serves the request.
func http2Server(t *testing.T, turn func(n int32, stream uint32) string) (url string, served *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var n, done atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serveHTTP2(c, &n, &done, turn)
			}()
		}
	}()
	return "http://" + l.Addr().String(), &done
}

func serveHTTP2(c net.Conn, n, done *atomic.Int32, turn func(int32, uint32) string) {
	in := bufio.NewReader(c)
	if _, err := in.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
		return
	}
	write := func(s string) { _, _ = io.WriteString(c, s) }
	write(frame(frameSettings, 0, 0, ""))
	refused := map[uint32]bool{}
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		if _, err := in.Discard(int(binary.BigEndian.Uint32(append([]byte{0}, head[:3]...)))); err != nil {
			return
		}
		stream := binary.BigEndian.Uint32(head[5:])
		switch kind, flags := head[3], head[4]; {
		case kind == frameSettings && flags&flagAck == 0:
			write(frame(frameSettings, flagAck, 0, ""))
		case kind == frameData && flags&flagEndStream != 0 && !refused[stream]:
			// The whole request is here: nobody can say that nothing of it was written.
			if s := turn(n.Add(1), stream); s != "" {
				refused[stream] = true
				write(s)
				continue
			}
			done.Add(1)
			block := "\x88" + "\x0f\x10" + string(rune(len("application/json"))) + "application/json" // :status 200, content-type
			write(frame(frameHeaders, flagEndHeaders, stream, block) + frame(frameData, flagEndStream, stream, answer))
		}
	}
}

func overHTTP2(c *remote.Config) {
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	c.HTTP = tr
}

// What HTTP/2 says was not processed goes out again; a plain reset may have
// been, and does not (RELAY R3, R4).
func TestRetry_turnedAway_callGoesOutAgain(t *testing.T) {
	t.Parallel()
	code := func(c uint32) string { return string(binary.BigEndian.AppendUint32(nil, c)) }
	for name, c := range map[string]struct {
		turn func(n int32, stream uint32) string
		kind remote.Kind
	}{
		"refused stream": {func(n int32, stream uint32) string {
			if n > 1 {
				return ""
			}
			return frame(frameReset, 0, stream, code(7))
		}, ""},
		"goaway below the stream": {func(n int32, stream uint32) string {
			if n > 1 {
				return ""
			}
			return frame(frameGoAway, 0, 0, code(stream-1)+code(0))
		}, ""},
		"reset": {func(n int32, stream uint32) string {
			if n > 1 {
				return ""
			}
			return frame(frameReset, 0, stream, code(2)) // INTERNAL_ERROR
		}, remote.KindUnknownOutcome},
		"always refused": {func(_ int32, stream uint32) string { return frame(frameReset, 0, stream, code(7)) }, remote.KindUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, served := http2Server(t, c.turn)
			got, err := do(t, client(t, url, overHTTP2), call)
			if c.kind != "" {
				if e := kindOf(t, err); e.Kind != c.kind || served.Load() != 0 {
					t.Errorf("%v, served %d times", e, served.Load())
				}
				return
			}
			if err != nil || strings.Join(got, "") != answer || served.Load() != 1 {
				t.Errorf("%v %v, served %d times", got, err, served.Load())
			}
		})
	}
}
