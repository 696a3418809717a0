package loopback_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

// crowd opens n connections that begin a request and never end it.
func crowd(t *testing.T, ln *loopback.Listener, n int) []net.Conn {
	t.Helper()
	var all []net.Conn
	for range n {
		conn := dial(t, ln)
		if _, err := io.WriteString(conn, "GET /callback HTTP/1.1\r\nX: "); err != nil {
			t.Fatal(err)
		}
		all = append(all, conn)
	}
	return all
}

// Fifty that are slow do not keep the person out.
//
//oauth:row X13 auth/loopback/listener.go "maxConnections    = 64 " => "maxConnections    = 50 "
func TestListener_fiftySlowConnections_realOneIsServed(t *testing.T) {
	t.Parallel()
	ln := start(t, true)
	crowd(t, ln, 50)
	own := browser(t)
	own.Timeout = 4 * time.Second // less than the slow ones are given
	got := make(chan reply, 1)
	go func() { got <- get(t, own, ln.StartURL()) }()
	if q := wait(t, ln); q.Get("code") != "c" {
		t.Errorf("callback = %v", q)
	}
	ln.Finish(loopback.Page{Kind: loopback.KindSuccess, Title: "You are signed in"})
	if r := <-got; r.code != http.StatusOK {
		t.Errorf("page = %d", r.code)
	}
}

// A hundred of them keep the person waiting for as long as a slow one is given.
//
//oauth:row X13 auth/loopback/listener.go "readHeaderTimeout = 5 * time.Second" => "readHeaderTimeout = time.Minute"
func TestListener_hundredSlowConnections_cutAndRealOneIsServed(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	slow := crowd(t, ln, 100)
	if got := statuses(raw(t, ln, fmt.Sprintf("GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", ln.Port()))); got != "204" {
		t.Errorf("beside slow connections: %q", got)
	}
	if _, err := io.ReadAll(slow[0]); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a slow connection was not cut")
	}
}

// What does not fit is not read.
//
//oauth:row X13 auth/loopback/listener.go "MaxHeaderBytes:    maxHeaderBytes," => ""
func TestListener_hugeRequest_refused(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	const huge = 256 << 10
	host := fmt.Sprintf("\r\nHost: 127.0.0.1:%d\r\n", ln.Port())
	for name, request := range map[string]string{
		"one header":   "GET / HTTP/1.1" + host + "X: " + strings.Repeat("a", huge) + "\r\n\r\n",
		"many headers": "GET / HTTP/1.1" + host + strings.Repeat("X: a\r\n", huge/6) + "\r\n",
		"query":        "GET /callback?state=" + strings.Repeat("a", huge) + " HTTP/1.1" + host + "\r\n",
		"cookies":      "GET / HTTP/1.1" + host + "Cookie: " + strings.Repeat("a=b; ", huge/5) + "\r\n\r\n",
	} {
		conn := dial(t, ln)
		_, _ = io.WriteString(conn, request) // it is cut in the midst of it
		answer, _ := io.ReadAll(conn)
		if got := statuses(string(answer)); got != "431" && got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestClose_withSilentConnections_freesPort(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	for range 50 {
		dial(t, ln)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := loopback.Listen(t.Context(), ln.Port())
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	_ = again.Close()
}
