package diagnose

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// Stage is how far a request came.
type Stage int

// The stages, in the order of a request.
const (
	StageNone    Stage = iota // nothing was looked up yet
	StageName                 // looking the name up
	StageConnect              // connecting
	StageProxy                // asking the proxy for the way on
	StageTLS                  // agreeing on TLS
	StageAnswer               // waiting for the answer
	StageDone                 // an answer came
)

// Seen is what one request showed of the way to a server, and of its answer.
type Seen struct {
	// Host is the request's, Dialled the one that was connected to: the same, or the
	// proxy's. Both are without a port.
	Host, Dialled string
	// Addresses are what the name of Dialled leads to, if it was looked up.
	Addresses []string
	Stage     Stage
	TLS       *tls.ConnectionState // nil: none, or it failed
	Status    int
	Header    http.Header
	Sent      time.Time
	// Named is how long the look-up took, and Took the whole request.
	Named, Took time.Duration
	Err         error // why there is no answer

	shaking bool // TLS was being agreed on when it ended
}

// Answered tells whether the server answered, whatever it said.
func (s *Seen) Answered() bool { return s.Stage == StageDone }

const (
	// probeLimit is for one request: less than what a dialler may take alone, so that
	// all of a report fits into its time.
	probeLimit = 8 * time.Second
	// An answer is read so far that its connection can serve the next request.
	maxBody   = 64 << 10
	bodyLimit = time.Second
)

// Probe sends req through rt, follows no redirect, and watches the way. dialled is
// the host that is connected to. now is the wall clock.
func Probe(ctx context.Context, rt http.RoundTripper, req *http.Request, dialled string, now func() time.Time) Seen {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	w := &watch{now: now, seen: Seen{Host: req.URL.Hostname(), Dialled: dialled, Sent: now()}}
	begun := time.Now() // the wall clock may be the very thing that is wrong
	res, err := rt.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, w.trace())))
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.seen
	s.Took, s.Err = time.Since(begun), err
	if err != nil {
		return s
	}
	s.Stage, s.Status, s.Header = StageDone, res.StatusCode, res.Header
	if res.TLS != nil {
		s.TLS = res.TLS
	}
	// The head is all that counts; an event stream has no end.
	defer time.AfterFunc(bodyLimit, cancel).Stop()
	_, _ = io.CopyN(io.Discard, res.Body, maxBody)
	_ = res.Body.Close()
	return s
}

// watch notes how far a request is. net/http calls it from other goroutines, even
// when the request is over.
type watch struct {
	now func() time.Time

	mu       sync.Mutex
	seen     Seen
	lookedUp time.Time
}

func (w *watch) at(stage Stage, more func(s *Seen)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Stage = max(w.seen.Stage, stage) // a second connection begins anew
	if more != nil {
		more(&w.seen)
	}
}

func (w *watch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) {
			w.at(StageName, func(*Seen) { w.lookedUp = time.Now() })
		},
		DNSDone: func(i httptrace.DNSDoneInfo) {
			w.at(StageName, func(s *Seen) {
				s.Named = time.Since(w.lookedUp)
				for _, a := range i.Addrs {
					s.Addresses = append(s.Addresses, a.IP.String())
				}
			})
		},
		ConnectStart: func(string, string) { w.at(StageConnect, nil) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				w.at(StageProxy, nil)
			}
		},
		// The first one may be with a proxy: GotConn tells when the way is open.
		TLSHandshakeStart: func() { w.at(StageTLS, func(s *Seen) { s.shaking = true }) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			if err == nil {
				w.at(StageTLS, func(s *Seen) { s.TLS, s.shaking = &state, false })
			}
		},
		GotConn: func(httptrace.GotConnInfo) { w.at(StageAnswer, nil) },
	}
}

// explain is nettransport's, for the server and for the proxy before it.
func (s *Seen) explain() (reason, advice string) { return nettransport.Explain(s.Host, s.Err) }
