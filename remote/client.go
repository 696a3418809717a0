package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// Limits bounds what one message may cost (RELAY section 8).
type Limits struct {
	Idle   time.Duration // silence after which an answer is given up; 0 = 5 minutes (B2)
	Answer int           // bytes of one JSON answer or one event, decompressed; 0 = 64 MiB (B4)
}

const (
	defaultIdle   = 5 * time.Minute
	defaultAnswer = 64 << 20
)

// Config is what New needs.
type Config struct {
	// Endpoint is the URL of the MCP endpoint: https, or http on loopback.
	Endpoint string
	// HTTP carries the requests. There is no http.Client around it: redirects are
	// refused (OAUTH X15), there are no cookies, and answers may take as long as
	// they like.
	HTTP http.RoundTripper
	// Authorizer gives the tokens; nil sends every request bare.
	Authorizer Authorizer
	// InForce names the sign-in that is in force, as Authorizer.Grant does, "" when
	// nobody is signed in, in whatever process; an error: it cannot be told now. It
	// is asked every other second while a session or a stream is open, and must ask
	// neither the network nor a person. Nil: a session ends with Close alone.
	InForce func(ctx context.Context) (grant string, err error)
	// Log gets what fails without a message of the host to blame; nil = silent.
	Log    *slog.Logger
	Limits Limits
	// Era is what was known of the server when it was last spoken to, and Learnt
	// is told when that changes; it must not wait. Nil: nobody keeps it.
	Era    Era
	Learnt func(Era)
}

// Client speaks to one endpoint in at most one session. It is safe for
// concurrent use; no lock is held over the network (RELAY O7).
type Client struct {
	endpoint *url.URL
	constant http.Header // what every POST carries; shared, so never changed
	http     http.RoundTripper
	auth     Authorizer
	inForce  func(context.Context) (string, error)
	log      *slog.Logger
	limits   Limits

	session    session
	departures departures
	era        eras
	tools      toolbox
	unasked    unasked
	clock      clock
	ids        atomic.Int64 // of our own requests
	buffers    sync.Pool    // of *bufio.Reader, for streams

	closed chan struct{} // by end, with Close: for what no request of the host carries
	end    func()
}

// Hooks is how the host's side takes part in one message. Each may be nil.
type Hooks struct {
	// Start is asked right before the message is written, each time that this
	// happens, with the X-Request-ID that it will have. false: it is not to be sent
	// any more, and Do returns KindCancelled.
	Start func(requestID string) bool
	// Sent is called after a Start, when the message has been written.
	Sent func()
	// Head is called when the head of an answer has come, each time that this
	// happens, with its HTTP status and the X-Request-ID of the request.
	Head func(status int, requestID string)
	// Deliver gets each message that comes back, in order, the response last.
	// It may block: the server then has to wait.
	Deliver func(jsonmsg.Message)
}

// New checks the configuration; it connects to nothing.
func New(c Config) (*Client, error) {
	u, err := endpoint(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("reading the endpoint address: %w", err)
	}
	if c.HTTP == nil {
		return nil, errors.New("preparing the remote side: no HTTP transport given")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Limits.Idle == 0 {
		c.Limits.Idle = defaultIdle
	}
	if c.Limits.Answer == 0 {
		c.Limits.Answer = defaultAnswer
	}
	client := &Client{
		endpoint: u, http: c.HTTP, constant: constantHeaders(),
		auth: c.Authorizer, inForce: c.InForce, log: c.Log, limits: c.Limits,
	}
	client.era.known, client.era.learnt = c.Era, c.Learnt
	client.closed = make(chan struct{})
	client.end = sync.OnceFunc(func() { close(client.closed) })
	return client, nil
}

// closeIdle closes the connections that no request uses.
func (c *Client) closeIdle() {
	if t, ok := c.http.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func endpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("not a URL") // the parser's text repeats the address
	}
	switch {
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return nil, errors.New("not an absolute URL without user and fragment")
	case u.Scheme == "https", u.Scheme == "http" && nettransport.IsLoopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("only https, or http on this computer, is allowed")
}

// Do posts one message of the host: a request, a notification, or the answer to
// a request of the server. For a request it returns after the response was
// delivered; for the others when the server has accepted them. Every error is
// an *Error, and comes in place of the response.
func (c *Client) Do(ctx context.Context, m jsonmsg.Message, h Hooks) error {
	x := &exchange{client: c, verb: http.MethodPost, msg: m, hooks: h}
	do := x.do
	if m.Method == methodListen {
		do = func(ctx context.Context) *Error { return c.subscribe(ctx, x) }
	}
	if e := do(ctx); e != nil {
		return e
	}
	return nil
}

// Close ends what is under way of our own, and the session, if the server gave one: DELETE, for at most 2
// seconds (RELAY H6). It also closes the idle connections. The error is for
// the log only.
func (c *Client) Close(ctx context.Context) error {
	c.end()
	defer c.closeIdle()
	ctx, cancel := context.WithTimeout(ctx, deleteLimit)
	defer cancel()
	defer c.departures.wait(ctx)
	if b := c.session.close(); b != nil {
		return c.endSession(ctx, b)
	}
	return nil
}
