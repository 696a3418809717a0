package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Entry is one request. It enters the log when its body has been read; Status
// and Done follow while it is served.
type Entry struct {
	// N is the place in the log, from 1.
	N    int
	Time time.Time
	Role Role
	// Method, Host and Path are as received; for the proxy Host is the target.
	Method, Host, Path string
	// Authorization is "", "token #n" or "basic #n", n the place of the secret in
	// Log.Secrets, from 1; anything else is "other".
	Authorization string
	// Header has Accept, Content-Type, Last-Event-ID, Origin, User-Agent, X-Request-ID
	// and the Mcp-* headers; the session id reads "secret #n".
	Header http.Header
	// Form is the query and form. Codes, tokens, secrets and verifiers read
	// "secret #n".
	Form url.Values
	// RPC is the JSON-RPC method, ID the id as it was written, Tool the name that
	// a tools/call names. All are "" for what is no JSON-RPC.
	RPC, ID, Tool string
	// BodyHash is the hex SHA-256 of the body, BodySize its length in bytes.
	BodyHash string
	BodySize int
	// Status is 0 until the answer's headers are written.
	Status int
	// Done is set when the answer has ended: for a stream, when it is closed.
	Done bool
}

// Grant is the grant_type of a token request.
func (e *Entry) Grant() string { return e.Form.Get("grant_type") }

// Query selects entries: a zero field selects all.
type Query struct {
	Role                                 Role
	Method, Path, Grant, RPC, Tool, Host string
	Status                               int
	// After selects entries with a larger N: what came since Log.Len was read.
	After int
}

func (q *Query) selects(e *Entry) bool {
	same := func(want, got string) bool { return want == "" || want == got }
	return e.N > q.After && same(string(q.Role), string(e.Role)) && same(q.Method, e.Method) && same(q.Path, e.Path) &&
		same(q.Grant, e.Grant()) && same(q.RPC, e.RPC) && same(q.Tool, e.Tool) && same(q.Host, e.Host) &&
		(q.Status == 0 || q.Status == e.Status)
}

// Log is the ordered record of all requests (PAYU S32).
type Log struct {
	mu      sync.Mutex
	entries []*Entry
	changed chan struct{}

	secrets []string
	numbers map[string]int
	refresh map[string]int // how often each refresh token was presented

	foreign dumps
}

func newLog() *Log {
	return &Log{changed: make(chan struct{}), numbers: map[string]int{}, refresh: map[string]int{}}
}

// Entries returns a copy of the log.
func (l *Log) Entries() []Entry { return l.Find(Query{}) }

// Find returns the entries that q selects, in order.
func (l *Log) Find(q Query) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Entry
	for _, e := range l.entries {
		if q.selects(e) {
			found = append(found, *e)
		}
	}
	return found
}

// Count counts the entries that q selects.
func (l *Log) Count(q Query) int { return len(l.Find(q)) }

// Len is the number of entries so far.
func (l *Log) Len() int { return l.Count(Query{}) }

// WaitFor returns the first entry that match accepts, at once or as soon as
// there is one. An entry is offered again when its Status or Done changes. The
// error is that of ctx.
func (l *Log) WaitFor(ctx context.Context, match func(Entry) bool) (Entry, error) {
	for {
		l.mu.Lock()
		entries, changed := make([]Entry, 0, len(l.entries)), l.changed
		for _, e := range l.entries {
			entries = append(entries, *e)
		}
		l.mu.Unlock()
		if i := slices.IndexFunc(entries, match); i >= 0 {
			return entries[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Entry{}, fmt.Errorf("waiting for a request at the sandbox: %w", ctx.Err())
		}
	}
}

// Secrets lists every secret issued or received, oldest first.
func (l *Log) Secrets() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.secrets)
}

// RefreshCollisions counts how often a refresh token was presented that had been
// presented before.
func (l *Log) RefreshCollisions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, times := range l.refresh {
		n += times - 1
	}
	return n
}

// secret numbers v. What is short is no secret: a list that is searched for in
// outputs must not match by accident.
func (l *Log) secret(v string) int {
	const shortest = 16
	if len(v) < shortest {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n, known := l.numbers[v]
	if !known {
		l.secrets = append(l.secrets, v)
		n = len(l.secrets)
		l.numbers[v] = n
	}
	return n
}

func (l *Log) add(e *Entry) {
	l.update(func() {
		l.entries = append(l.entries, e)
		e.N = len(l.entries)
	})
}

// update changes the log and wakes those who wait.
func (l *Log) update(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}
