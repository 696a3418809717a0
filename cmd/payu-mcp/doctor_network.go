package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// The way to the endpoint, and what it answers to somebody without a token.

// bareList is what the endpoint is asked first (PAYU U7, U12).
const bareList = `{"jsonrpc":"2.0","id":"payu-mcp-doctor","method":"tools/list","params":{}}`

// outside is what the endpoint and its documents show without a login.
type outside struct {
	endpoint  string
	post, get diagnose.Seen
	documents *auth.Inspection
}

// network looks at the way to the endpoint. Whatever cannot be seen because of its
// first fault is left out: one cause, one line.
func (d *doctor) network(ctx context.Context) diagnose.Findings {
	way, dialled := d.way(d.p.endpoint)
	post := d.probe(ctx, d.p.data, http.MethodPost, d.p.endpoint, dialled)
	d.reached <- post.Answered()
	found := diagnose.Found(way.Wire(&post)...)
	out := &outside{endpoint: d.p.endpoint, post: post}
	if post.Answered() {
		line := endpointLine(d.p.endpoint, &post)
		found.Lines = append(found.Lines, line)
		if line.Side != diagnose.Network {
			found.Lines = append(found.Lines, d.documents(ctx, out, dialled)...)
		}
	}
	found.Facts = out.facts()
	return found
}

// documents looks at what lies around the endpoint, at once.
func (d *doctor) documents(ctx context.Context, out *outside, dialled string) []diagnose.Line {
	var both sync.WaitGroup
	both.Go(func() { out.get = d.probe(ctx, d.p.data, http.MethodGet, d.p.endpoint, dialled) })
	both.Go(func() { out.documents = d.p.auth.Inspect(ctx, out.post.Header.Values("WWW-Authenticate")) })
	both.Wait()
	lines := documentLines(out.documents)
	if l, looked := d.signInHost(ctx, out.documents); looked {
		lines = append(lines, l)
	}
	return lines
}

// way says how requests to target leave this computer, and to which host: NO_PROXY
// may except the endpoint and not its sign-in, or the other way round.
func (d *doctor) way(target string) (diagnose.Way, string) {
	way := diagnose.Way{CAFile: d.o.login.CAFile != ""}
	proxy := d.proxyTo(target)
	if proxy == nil {
		way.From = d.o.proxyNote(d.e.getenv)
		return way, hostname(target)
	}
	o := d.o.proxyOption(d.e.getenv)
	way.Proxy = (&url.URL{Scheme: proxy.Scheme, Host: proxy.Host}).String() // no user, no password
	switch way.From = o.Variable; o.Source {
	case sourceFlag:
		way.From = "--proxy"
	case sourceProfile:
		way.From = "--proxy, as login remembered it"
	case sourceDefault: // none for the endpoint
		way.From = proxyVariable(target, d.e.getenv)
	}
	return way, proxy.Hostname()
}

// proxyTo is the proxy of a request, nil for none.
func (d *doctor) proxyTo(target string) *url.URL {
	proxy, err := nettransport.ProxyFor(nettransport.Options{Proxy: d.o.login.Proxy}, target)
	if err != nil {
		return nil // a variable that is no URL: net/http says so with the request
	}
	return proxy
}

func (d *doctor) probe(ctx context.Context, rt http.RoundTripper, method, target, dialled string) diagnose.Seen {
	body := ""
	if method == http.MethodPost {
		body = bareList
	}
	req, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return diagnose.Seen{Host: hostname(target), Dialled: dialled, Err: err}
	}
	req.Header.Set("Accept", "text/event-stream")
	if method == http.MethodPost {
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Request-ID", "doctor-"+rand.Text())
	}
	return diagnose.Probe(ctx, rt, req, dialled, time.Now)
}

// signInHost looks whether the host of the sign-in can be reached where it is
// another one: firewalls let one through and forget the other.
func (d *doctor) signInHost(ctx context.Context, in *auth.Inspection) (diagnose.Line, bool) {
	if in.Server == nil || in.Faults[auth.StageEndpoints] != nil {
		return diagnose.Line{}, false
	}
	u, err := url.Parse(in.Server.TokenEndpoint)
	if err != nil || u.Host == "" || u.Hostname() == hostname(d.p.endpoint) {
		return diagnose.Line{}, false
	}
	way, dialled := d.way(in.Server.TokenEndpoint)
	seen := d.probe(ctx, d.p.guarded, http.MethodGet, u.Scheme+"://"+u.Host+"/", dialled)
	if seen.Answered() {
		l := fine("sign-in-host", diagnose.Network, u.Hostname()+" answers")
		l.Took = diagnose.Took(seen.Took)
		return l, true
	}
	lines := way.Wire(&seen)
	l := lines[len(lines)-1]
	l.ID = "sign-in-host"
	return l, true
}

// endpointLine judges the answer to a request without a token.
func endpointLine(endpoint string, s *diagnose.Seen) diagnose.Line {
	l := fine("endpoint", diagnose.PayU, "")
	l.Took = diagnose.Took(s.Took)
	status := fmt.Sprintf("HTTP %d", s.Status)
	switch {
	case s.Status == http.StatusUnauthorized:
		l.Text = "it wants a sign-in (" + status + "), as it should"
	case isPortal(s):
		l.Result, l.Side = diagnose.Fault, diagnose.Network
		l.Text = "a web page or a redirect answers in the place of the endpoint (" + status + "): this network seems to want a sign-in of its own"
		l.Next = "open any page in a browser and sign in to the network, then run payu-mcp doctor again; if there is no such page, check --url"
	case s.Status == http.StatusNotFound:
		l.Result, l.Text = diagnose.Fault, "there is no endpoint at this address ("+status+")"
		l.Next = "check the spelling of --url; payu-mcp status shows where it comes from"
	case s.Status == http.StatusForbidden:
		l.Result, l.Text = diagnose.Warning, "it refuses requests before anybody signs in ("+status+")"
		l.Next = "sign in with payu-mcp login; if that fails too, this network may be shut out: try another one. " + auth.Contact(endpoint)
	case s.Status == http.StatusTooManyRequests:
		l.Result, l.Text = diagnose.Warning, "too many requests came from here ("+status+")"
		l.Next = "wait a minute, then run payu-mcp doctor again"
	case s.Status >= http.StatusInternalServerError:
		l.Result, l.Text = diagnose.Fault, "the service has a fault ("+status+")"
		l.Next = "wait a moment, then run payu-mcp doctor again; if it stays so, it is on the server's side. " + auth.Contact(endpoint)
	default:
		l.Text = "it answers without a login (" + status + ")"
	}
	return l
}

// isPortal: networks that want a sign-in put a page or a redirect in the way.
func isPortal(s *diagnose.Seen) bool {
	return s.Status >= 300 && s.Status < 400 || s.Status == http.StatusNetworkAuthenticationRequired ||
		s.Status == http.StatusOK && mediaType(s.Header) == "text/html"
}

// mediaType is the answer's type without its parameters.
func mediaType(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

func hostname(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
