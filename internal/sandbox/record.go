package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
)

const maxBody = 256 << 20

// record writes each request into the log, lets it wait where latency asks for
// that, and passes it on.
func (s *Sandbox) record(role Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.life.TryRLock() {
			cut() // closed, or closing
		}
		defer s.life.RUnlock()
		e, err := s.entry(role, r)
		if err != nil {
			return // the client went away while it wrote
		}
		s.log.add(e)
		defer s.log.update(func() { e.Done = true })
		out := &recorder{ResponseWriter: w, log: s.log, entry: e}
		if !s.latency.wait(r.Context(), *e) {
			cut()
		}
		next.ServeHTTP(out, r)
		out.note(http.StatusOK) // implied when nothing was written
	})
}

// cut ends the handler without an answer, as http.ErrAbortHandler does but
// without a panic: the server's deferred calls close the connection or reset the
// stream.
func cut() { runtime.Goexit() }

func (s *Sandbox) entry(role Role, r *http.Request) (*Entry, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("reading a request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	sum := sha256.Sum256(body)
	e := &Entry{
		Time: s.now(), Role: role, Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Authorization: s.log.authorization(r), Header: s.log.headers(r.Header),
		BodyHash: hex.EncodeToString(sum[:]), BodySize: len(body),
	}
	e.Form = s.log.form(r.URL.Query())
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if form, err := url.ParseQuery(string(body)); err == nil {
			e.Form = s.log.form(form)
		}
	}
	if r.URL.Path == endpointPath {
		e.RPC, e.ID, e.Tool = peek(body)
	}
	return e, nil
}

// peek reads what the log needs of a JSON-RPC message; from anything else it
// takes nothing.
func peek(body []byte) (method, id, tool string) {
	var m struct {
		Method string          `json:"method"`
		ID     json.RawMessage `json:"id"`
		Params json.RawMessage `json:"params"`
	}
	if json.Unmarshal(body, &m) != nil {
		return "", "", ""
	}
	var p struct {
		Name string `json:"name"`
	}
	if m.Method == "tools/call" && json.Unmarshal(m.Params, &p) == nil {
		tool = p.Name
	}
	return m.Method, string(m.ID), tool
}

func (l *Log) authorization(r *http.Request) string {
	h := r.Header.Get("Authorization")
	if h == "" {
		return ""
	}
	if token, ok := strings.CutPrefix(h, "Bearer "); ok {
		return fmt.Sprintf("token #%d", l.secret(token))
	}
	if _, secret, ok := r.BasicAuth(); ok {
		return fmt.Sprintf("basic #%d", l.secret(secret))
	}
	return "other"
}

func (l *Log) headers(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		switch {
		case name == sessionHeader:
			out.Set(name, l.masked(values[0]))
		case strings.HasPrefix(name, "Mcp-"):
			out[name] = values
		default:
			switch name {
			case "Accept", "Content-Type", "Last-Event-Id", "Origin", "User-Agent", "X-Request-Id":
				out[name] = values
			}
		}
	}
	return out
}

func (l *Log) masked(v string) string { return fmt.Sprintf("secret #%d", l.secret(v)) }

func (l *Log) form(in url.Values) url.Values {
	out := url.Values{}
	for name, values := range in {
		switch name {
		case "code", "code_verifier", "refresh_token", "access_token", "token", "client_secret", "passphrase", "device_code":
			out.Set(name, l.masked(values[0]))
		default:
			out[name] = values
		}
	}
	if v := in.Get("refresh_token"); v != "" {
		l.mu.Lock()
		l.refresh[v]++
		l.mu.Unlock()
	}
	return out
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	log   *Log
	entry *Entry
	wrote bool
}

// Unwrap lets http.ResponseController flush and hijack.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader notes the status before the client can see it.
func (w *recorder) WriteHeader(code int) {
	w.note(code)
	w.ResponseWriter.WriteHeader(code)
}

// Write notes the implied 200.
func (w *recorder) Write(b []byte) (int, error) {
	w.note(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// note keeps the first status.
func (w *recorder) note(code int) {
	if !w.wrote {
		w.wrote = true
		w.log.update(func() { w.entry.Status = code })
	}
}
