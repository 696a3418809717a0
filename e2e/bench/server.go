package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	token    = "0123456789abcdef0123456789abcdef01234567"
	bearer   = "Bearer " + token
	endpoint = "/mcp"
)

// counts is what a subject has cost the server.
type counts struct {
	Connections   int64 `json:"connections"`
	Posts         int64 `json:"posts"`
	Gets          int64 `json:"gets"`
	Deletes       int64 `json:"deletes"`
	Metadata      int64 `json:"metadata"`
	Registrations int64 `json:"registrations"`
	Sessions      int64 `json:"sessions"`
}

func (c counts) requests() int64 {
	return c.Posts + c.Gets + c.Deletes + c.Metadata + c.Registrations
}

func (c counts) minus(o counts) counts {
	return counts{
		c.Connections - o.Connections, c.Posts - o.Posts, c.Gets - o.Gets, c.Deletes - o.Deletes,
		c.Metadata - o.Metadata, c.Registrations - o.Registrations, c.Sessions - o.Sessions,
	}
}

// server is as little of an MCP server as the subjects need, so that it is not
// what is measured. Each subject has one of its own, on its own port.
type server struct {
	connections, posts, gets, deletes, metadata, registrations, sessions atomic.Int64
}

// serve runs one server for each of n subjects until stdin ends, and prints
// their addresses. It is a process of its own, so that it takes no part in the
// client's scheduling and memory.
func serve(ctx context.Context, n int, out io.Writer) error {
	addresses := make([]string, n)
	for i := range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s := &server{}
		h := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.connections.Add(1)
			}
		}}
		go func() { _ = h.Serve(l) }()
		addresses[i] = "http://" + l.Addr().String() + endpoint
	}
	if err := json.NewEncoder(out).Encode(addresses); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/counts":
		_ = json.NewEncoder(w).Encode(counts{
			s.connections.Load(), s.posts.Load(), s.gets.Load(), s.deletes.Load(),
			s.metadata.Load(), s.registrations.Load(), s.sessions.Load(),
		})
	case r.URL.Path != endpoint && r.Method == http.MethodPost:
		s.registrations.Add(1)
		http.NotFound(w, r)
	case r.URL.Path != endpoint:
		s.metadata.Add(1)
		http.NotFound(w, r)
	case r.Method == http.MethodPost:
		s.posts.Add(1)
		s.post(w, r)
	case r.Method == http.MethodGet:
		s.gets.Add(1)
		s.listen(w, r)
	default:
		s.deletes.Add(1)
		w.WriteHeader(http.StatusOK)
	}
}

// listen holds the stand-alone stream and says nothing on it.
func (s *server) listen(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r) {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func allowed(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == bearer {
		return true
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

func (s *server) post(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	if _, err := body.ReadFrom(r.Body); err != nil || !allowed(w, r) {
		return
	}
	id := member(body.Bytes(), "id")
	switch method := member(body.Bytes(), "method"); {
	case id == "":
		w.WriteHeader(http.StatusAccepted)
	case method == `"initialize"`:
		s.sessions.Add(1)
		w.Header().Set("Mcp-Session-Id", "session-"+strconv.FormatInt(s.sessions.Load(), 10))
		answer(w, "json", id, `"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}`)
	case method == `"tools/call"`:
		tool(w, id, strings.Trim(member(body.Bytes(), "name"), `"`))
	default:
		answer(w, "json", id, `"tools":[`+tools()+`]`)
	}
}

// tools are those that the benchmark calls. They only read.
func tools() string {
	var all []string
	for _, form := range []string{"json", "sse"} {
		for _, rest := range [][2]int{{1 << 10, 0}, {1 << 10, slow}, {big, 0}} {
			all = append(all, fmt.Sprintf(`{"name":"%s-%d-%d","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}`, form, rest[0], rest[1]))
		}
	}
	return strings.Join(all, ",")
}

// tool answers as its name says: form-bytes-milliseconds.
func tool(w http.ResponseWriter, id, name string) {
	var size, pause int
	form, rest, _ := strings.Cut(name, "-")
	if _, err := fmt.Sscanf(rest, "%d-%d", &size, &pause); err != nil {
		answer(w, "json", id, `"content":[],"isError":true`)
		return
	}
	time.Sleep(time.Duration(pause) * time.Millisecond)
	answer(w, form, id, `"content":[{"type":"text","text":"`+strings.Repeat("a", size)+`"}]`)
}

func answer(w http.ResponseWriter, form, id, result string) {
	text := `{"jsonrpc":"2.0","id":` + id + `,"result":{` + result + `}}`
	w.Header().Set("Content-Type", "application/json")
	if form == "sse" {
		w.Header().Set("Content-Type", "text/event-stream")
		text = "event: message\ndata: " + text + "\n\n"
	}
	_, _ = io.WriteString(w, text)
}

// member returns the first scalar member of this name. The requests are our own
// and hold nothing else that looks like it.
func member(body []byte, name string) string {
	_, rest, found := bytes.Cut(body, []byte(`"`+name+`":`))
	if !found {
		return ""
	}
	end := bytes.IndexAny(rest[:min(len(rest), 64)], ",}")
	return string(rest[:max(end, 0)])
}
