package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"
)

// server is one listener and what serves it.
type server struct {
	http  *http.Server
	lis   net.Listener
	tls   bool
	ended chan struct{}
}

// open binds all ports before it serves any, so that handlers know each other's
// addresses.
func (s *Sandbox) open(ctx context.Context) error {
	// Streams end with Close, not with whatever context the start had.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	rs, as := s.handler(RoleResource, s.resourceRoutes()), s.handler(RoleAccounts, s.accountsRoutes())
	if s.opts.OnePort {
		rs = onePort(rs, as)
	}
	if err := s.bind(ctx, &s.resource, rs, s.opts.TLS); err != nil {
		return err
	}
	if s.opts.OnePort {
		s.accounts = s.resource
	} else if err := s.bind(ctx, &s.accounts, as, s.opts.TLS); err != nil {
		return err
	}
	if err := s.bind(ctx, &s.abroad, s.foreignHandler(), false); err != nil {
		return err
	}
	if err := s.bind(ctx, &s.proxy, s.proxyHandler(), false); err != nil {
		return err
	}
	for _, srv := range s.servers {
		srv.serve(base)
	}
	return nil
}

// onePort sends the AS's paths to as and the rest to rs.
func onePort(rs, as http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/oauth/") {
			as.ServeHTTP(w, r)
			return
		}
		rs.ServeHTTP(w, r)
	})
}

func (s *Sandbox) bind(ctx context.Context, origin *string, h http.Handler, useTLS bool) error {
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening a sandbox port: %w", err)
	}
	scheme := "http://"
	srv := &http.Server{
		Handler: h, Protocols: new(http.Protocols), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		// A client that gives up a handshake is what tests are about, not news.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(s.opts.HTTP2)
	srv.Protocols.SetUnencryptedHTTP2(s.opts.HTTP2 && !useTLS)
	if useTLS {
		scheme, srv.TLSConfig = "https://", s.ca.serverConfig()
	}
	*origin = scheme + lis.Addr().String()
	s.servers = append(s.servers, &server{http: srv, lis: lis, tls: useTLS})
	return nil
}

func (v *server) serve(ctx context.Context) {
	v.http.BaseContext = func(net.Listener) context.Context { return ctx }
	v.ended = make(chan struct{})
	go func() {
		defer close(v.ended)
		if v.tls {
			_ = v.http.ServeTLS(v.lis, "", "") // ends with close only
			return
		}
		_ = v.http.Serve(v.lis)
	}()
}

func (v *server) close() error {
	err := v.http.Close()
	if v.ended == nil { // bound, never served
		err = v.lis.Close()
	} else {
		<-v.ended
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("closing a sandbox port: %w", err)
	}
	return nil
}

// handler puts a role's routes beneath latency, faults and the log.
func (s *Sandbox) handler(role Role, routes http.Handler) http.Handler {
	if s.opts.Wrap != nil {
		routes = s.opts.Wrap(role, routes)
	}
	return s.record(role, routes)
}

func (s *Sandbox) resourceRoutes() http.Handler {
	m := http.NewServeMux()
	s.routeMetadata(m)
	s.routeResourceMetadata(m)
	m.HandleFunc("POST /register", s.register)
	m.HandleFunc("GET /authorize", s.ifBare(s.authorize))
	m.HandleFunc("POST /token", s.ifBare(s.token))
	m.HandleFunc(endpointPath, s.serveMCP)
	m.HandleFunc("GET /reports/{file}", s.downloadReport)
	return m
}

// ifBare serves a default endpoint of MCP 2025-03-26.
func (s *Sandbox) ifBare(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.Knobs().Metadata.BareEndpoints {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}
}

func (s *Sandbox) accountsRoutes() http.Handler {
	m := http.NewServeMux()
	s.routeAccountsMetadata(m)
	m.HandleFunc("GET /oauth/authorize", s.authorize)
	m.HandleFunc("POST /oauth/sign-in", s.signIn)
	m.HandleFunc("GET /oauth/consent", s.consent)
	m.HandleFunc("POST /oauth/consent", s.decide)
	m.HandleFunc("POST /oauth/device_authorization", s.authorizeDevice)
	m.HandleFunc("GET /oauth/device", s.devicePage)
	m.HandleFunc("POST /oauth/device", s.enterCode)
	m.HandleFunc("POST /oauth/token", s.token)
	m.HandleFunc("POST /oauth/revoke", s.revoke)
	return m
}
