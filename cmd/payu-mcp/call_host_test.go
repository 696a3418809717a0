package main

import (
	"io"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// An answer is one to a request, in whatever way its number is written: a call that
// has run must not be waited for to the end of time.
func TestShellHost_idWrittenInAnotherWay_isTheAnswer(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	hostIn, hostOut := io.Pipe()
	h := &shellHost{in: hostOut, ended: make(chan struct{}), heard: func(jsonmsg.Message) {}, open: map[string]chan jsonmsg.Message{}}
	go h.read(in)
	go func() {
		_, _ = io.ReadFull(hostIn, make([]byte, 1))
		_, _ = io.WriteString(out, `{"jsonrpc":"2.0","id":1.0,"result":{}}`+"\n")
		_ = out.Close()
		_, _ = io.Copy(io.Discard, hostIn)
	}()
	if _, err := h.ask(t.Context(), "ping", jsonmsg.Object()); err != nil {
		t.Error(err)
	}
}
