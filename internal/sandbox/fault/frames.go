package fault

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// The parts of HTTP/2 that a Line speaks (RFC 9113 sections 3.4, 4.1, 6, 7).
const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	frameHeaders = 0x1
	frameReset   = 0x3
	frameGoAway  = 0x7

	noError       = 0x0
	cancelCode    = 0x8
	refusedStream = 0x7

	frameHead = 9
)

// frame is one frame, head and payload.
type frame []byte

func (f frame) kind() byte     { return f[3] }
func (f frame) stream() uint32 { return binary.BigEndian.Uint32(f[5:]) &^ (1 << 31) }

// newFrame builds a frame of size bytes of payload: four for each number.
func newFrame(kind, size byte, stream uint32, payload ...uint32) frame {
	f := frame{2: size, 3: kind, 8: 0}
	binary.BigEndian.PutUint32(f[5:], stream)
	for _, p := range payload {
		f = binary.BigEndian.AppendUint32(f, p)
	}
	return f
}

func readFrame(r io.Reader) (frame, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("reading a frame: %w", err)
	}
	size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	f := make(frame, frameHead+size)
	copy(f, head[:])
	if _, err := io.ReadFull(r, f[frameHead:]); err != nil {
		return nil, fmt.Errorf("reading a frame: %w", err)
	}
	return f, nil
}

// framed writes whole frames from several goroutines.
type framed struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *framed) send(f []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.w.Write(f)
	return err
}

// relayFrames passes frames of the client on, until one of them is to meet a
// fault. Each new stream asks for one.
func (c *lineConn) relayFrames(toClient, toServer *framed) error {
	start := make([]byte, len(preface))
	if _, err := io.ReadFull(c.client, start); err != nil {
		return fmt.Errorf("reading the preface: %w", err)
	}
	if err := toServer.send(start); err != nil {
		return err
	}
	refused, last := map[uint32]bool{}, uint32(0)
	for {
		f, err := readFrame(c.client)
		if err != nil {
			return err
		}
		if id := f.stream(); f.kind() == frameHeaders && id > last {
			switch c.line.take(cutReset, cutStream, cutGoAway) {
			case cutReset:
				return c.reset()
			case cutGoAway:
				return c.goAway(toClient, last)
			case cutStream:
				refused[id] = true
			case cutNone, cutDial, cutHandshake:
			}
			last = id
		}
		if err := pass(f, refused, toClient, toServer); err != nil {
			return err
		}
	}
}

// pass sends a frame on. The header block of a refused stream goes to the
// server too, since both ends count on it for header compression, but the
// stream is cancelled there before its body comes: the sandbox drops it unread.
func pass(f frame, refused map[uint32]bool, toClient, toServer *framed) error {
	id := f.stream()
	if !refused[id] {
		return toServer.send(f)
	}
	if f.kind() != frameHeaders {
		return nil
	}
	if err := toServer.send(append(f, newFrame(frameReset, 4, id, cancelCode)...)); err != nil {
		return err
	}
	return toClient.send(newFrame(frameReset, 4, id, refusedStream))
}

// goAway tells the client that its newest stream was not looked at, and waits
// for it to go.
func (c *lineConn) goAway(toClient *framed, last uint32) error {
	if err := toClient.send(newFrame(frameGoAway, 8, 0, last, noError)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, c.client)
	return err
}
