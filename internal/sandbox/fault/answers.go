package fault

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
)

// whole is an answer that is kept back until it is known what becomes of it.
type whole struct {
	void

	status int
	body   bytes.Buffer
}

// WriteHeader keeps the first status.
func (h *whole) WriteHeader(code int) {
	if h.status == 0 {
		h.status = code
	}
}

// Write keeps b.
func (h *whole) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}

// head sends the status and the headers.
func (h *whole) head(w http.ResponseWriter) {
	maps.Copy(w.Header(), h.header)
	w.WriteHeader(h.status)
	flush(w)
}

// spoilt lets the request run and sends its headers and what f makes of its
// body; with cut the connection (with HTTP/2: the stream) ends there.
func spoilt(cut bool, f func(body []byte, id string) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		id := look("", r).ID
		h := &whole{void: void{header: http.Header{}}}
		next.ServeHTTP(h, r)
		h.head(w)
		_, _ = w.Write(f(h.body.Bytes(), id)) // a client that went away is not our fault
		flush(w)
		if cut {
			abort()
		}
	}
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func nothing([]byte, string) []byte { return nil }

func half(body []byte, _ string) []byte { return body[:len(body)/2] }

// firstEvent is the priming event, the only one that is whole.
func firstEvent(body []byte, _ string) []byte {
	first, _, _ := bytes.Cut(body, []byte("\n\n"))
	return append(bytes.Clone(first), "\n\n"...)
}

// halfEventWithID is the priming event, and of the next the id and half the
// data: the id of an event that never came must not count.
func halfEventWithID(body []byte, _ string) []byte { return body[:len(body)-len(body)/4] }

// comment is a stream that has said nothing yet.
func comment([]byte, string) []byte { return []byte(": still here\n\n") }

// otherID answers a request that nobody made.
func otherID(body []byte, id string) []byte {
	return bytes.Replace(body, []byte(`"id":`+id), []byte(`"id":987654321`), 1)
}

// broken drops the brace at the end: no JSON, though all else is in order.
func broken(body []byte, _ string) []byte {
	end := bytes.LastIndexByte(body, '}')
	return append(bytes.Clone(body[:end]), body[end+1:]...)
}

// AfterRun lets the request run and answers with a gateway's page.
func AfterRun(code int) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&void{header: http.Header{}}, r)
		page(w, code, http.StatusText(code))
	}
}

// RPCError answers with a JSON-RPC error; id "" takes that of the request. With
// sse and status 200 it comes as an event. Nothing has run.
func RPCError(status int, id string, code int, sse bool) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		is := id
		if is == "" {
			is = look("", r).ID
		}
		raw := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":"injected"}}`, is, code)
		kind := "application/json"
		if sse && status == http.StatusOK {
			kind, raw = "text/event-stream", "event: message\ndata: "+raw+"\n\n"
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, raw) // as above
	}
}

// Expired answers 401, as for a token whose time is over (PAYU S17).
func Expired() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="Token expired"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// Limited answers 429 with Retry-After in seconds.
func Limited(seconds string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Retry-After", seconds)
		page(w, http.StatusTooManyRequests, "Too Many Requests")
	}
}

// Redirect answers 307 to another origin: what follows it takes the body along.
func Redirect(origin string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Location", strings.TrimSuffix(origin, "/")+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// RedirectTo answers with a status of 3xx and a place to go to.
func RedirectTo(code int, target string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Location", target)
		w.WriteHeader(code)
	}
}

// Silence never answers; it ends when the client gives up or the sandbox
// closes. Nothing has run.
func Silence() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }
}

// Before does something at the moment of the request and then lets it run.
func Before(do func()) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		do()
		next.ServeHTTP(w, r)
	}
}

// Between lets the request run, does something, and then sends the answer: the
// time in which the server has committed and the client does not know it yet.
// The context ends when the client goes away.
func Between(do func(context.Context)) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		h := &whole{void: void{header: http.Header{}}}
		next.ServeHTTP(h, r)
		do(r.Context())
		h.head(w)
		_, _ = w.Write(h.body.Bytes()) // as above
	}
}

// OAuthError answers with an error of RFC 6749 section 5.2. Nothing has run.
func OAuthError(status int, code string) Fault {
	return JSON(status, fmt.Sprintf(`{"error":%q,"error_description":"injected"}`, code))
}

// JSON answers with a body that is called JSON, whatever it is. Nothing has run.
func JSON(status int, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // as above
	}
}
