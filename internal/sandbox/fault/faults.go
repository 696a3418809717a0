package fault

import (
	"io"
	"net/http"
	"runtime"
	"strconv"
	"time"
)

// Fault serves a request wrongly. next is what would have served it.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Status answers with a status and a short HTML page, as gateways do. Nothing
// has run.
func Status(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		page(w, code, http.StatusText(code))
	}
}

// Unavailable answers 503 with Retry-After, in whole seconds.
func Unavailable(retryAfter time.Duration) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
		page(w, http.StatusServiceUnavailable, "Service Unavailable")
	}
}

// Portal answers 200 with a page, as a captive portal does.
func Portal() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		page(w, http.StatusOK, "Please sign in to this network")
	}
}

// LostAnswer lets the request run and cuts the connection (with HTTP/2: resets
// the stream) before a byte of the answer is sent.
func LostAnswer() Fault {
	return func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&void{header: http.Header{}}, r)
		abort()
	}
}

// Reset cuts the connection before the request runs.
func Reset() Fault {
	return func(http.ResponseWriter, *http.Request, http.Handler) { abort() }
}

// abort ends the handler as http.ErrAbortHandler does, without a panic: the
// server's deferred calls close the connection or reset the stream.
func abort() { runtime.Goexit() }

func page(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, "<!DOCTYPE html><title>"+text+"</title><h1>"+text+"</h1>") // a client that went away is not our fault
}

// void is an answer that goes nowhere.
type void struct{ header http.Header }

// Header returns the header nobody sees.
func (v *void) Header() http.Header { return v.header }

// WriteHeader drops the status.
func (v *void) WriteHeader(int) {}

// Write drops b.
func (v *void) Write(b []byte) (int, error) { return len(b), nil }

// Flush makes streaming handlers content.
func (v *void) Flush() {}
