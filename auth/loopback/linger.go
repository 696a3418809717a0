package loopback

import (
	"context"
	"net"
	"net/http"
	"time"
)

// vacate is the header by which another process of this program asks for a port
// on which nothing but "too late" is said. A web page cannot send it: to another
// origin it would have to ask first, with OPTIONS.
const vacate = "Payu-Mcp-Vacate"

// Linger ends the sign-in without a result, and tells who comes later why it is
// over: for as long as limit says, until Close, or until Vacate asks for the
// port. It returns at once.
func (l *Listener) Linger(limit time.Duration) {
	p := tooLate
	select {
	case <-l.contested:
		p = twoBrowsers
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used, l.late = true, &p
	l.lingering = time.AfterFunc(limit, func() { _ = l.Close() }) // nothing is lost with a port
}

func (l *Listener) latePage() *Page {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.late
}

func (l *Listener) serveLate(w http.ResponseWriter, r *http.Request, p Page) {
	if r.Header.Get(vacate) == "" {
		l.show(w, http.StatusGone, p)
		return
	}
	_ = l.unbind() // before the answer, so that the port is free when it comes
	w.WriteHeader(http.StatusNoContent)
	go func() { _ = l.Close() }() // it waits for this request
}

// Vacate asks whoever has the port of a redirect URI on this computer to give it
// up, and reports whether that was a Listener that did nothing there but linger.
// It takes a second at most.
func Vacate(ctx context.Context, redirectURI string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, redirectURI, http.NoBody)
	if err != nil {
		return false
	}
	req.Header.Set(vacate, "1")
	tr := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp4", net.JoinHostPort(literal, req.URL.Port())) // whatever localhost is here
	}}
	res, err := tr.RoundTrip(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusNoContent
}
