package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// bare is a server of MCP 2025-03-26 without any metadata.
func bare(t *testing.T, change ...func(*sandbox.Options)) *world {
	t.Helper()
	o := sandbox.Options{OnePort: true}
	o.Knobs.Metadata = sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound, BareEndpoints: true}
	for _, f := range change {
		f(&o)
	}
	return newWorld(t, o, soon)
}

// soon ends a sign-in that nobody finishes.
func soon(c *auth.Config) { c.SignInLimit = 5 * time.Second }

// Without any metadata the endpoints have their default places at the origin.
//
//oauth:row A16 auth/discover.go "if absent && errors" => "if false && absent && errors"
func TestSignIn_noMetadataAnywhere_defaultEndpoints(t *testing.T) {
	t.Parallel()
	w := bare(t)
	cred := w.mustSignIn()
	want := auth.Server{
		Issuer: w.sb.ResourceOrigin(), AuthorizationEndpoint: w.sb.ResourceOrigin() + "/authorize",
		TokenEndpoint: w.sb.ResourceOrigin() + "/token", RegistrationEndpoint: w.sb.ResourceOrigin() + "/register", PKCEUnlisted: true,
	}
	if got := cred.Server; got.Issuer != want.Issuer || got.AuthorizationEndpoint != want.AuthorizationEndpoint || got.TokenEndpoint != want.TokenEndpoint ||
		got.RegistrationEndpoint != want.RegistrationEndpoint || !got.PKCEUnlisted || got.RevocationEndpoint != "" {
		t.Errorf("server = %+v", got)
	}
	e := w.sb.Log().Find(sandbox.Query{Path: "/authorize"})[0]
	if e.Form.Get("code_challenge_method") != "S256" || e.Form.Get("resource") != w.sb.Endpoint() {
		t.Errorf("authorization request = %v", e.Form)
	}
	for _, place := range []string{"/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"} {
		w.wantCount(place, sandbox.Query{Path: place, Status: http.StatusNotFound}, 1)
	}
}

// A server that is in trouble, says something else, or has resource metadata is
// not one without metadata.
//
//oauth:row A16 auth/discover.go "if absent && errors" => "if (absent || true) && errors"
//oauth:row A16 auth/server_meta.go "if !a.isAbsence() {" => "if false {"
//oauth:row A16 auth/resource_meta.go "absent = absent && a.isAbsence()" => "_ = a"
func TestSignIn_metadataNotSurelyAbsent_noDefaultEndpoints(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sandbox.Options){
		"metadata is in trouble": func(o *sandbox.Options) { o.Knobs.Metadata.Answer = sandbox.AnswerError },
		"metadata is a page":     func(o *sandbox.Options) { o.Knobs.Metadata.Answer = sandbox.AnswerHTML },
		"metadata is limited":    statusAt("/.well-known/oauth-authorization-server", http.StatusTooManyRequests),
		"resource has metadata":  func(o *sandbox.Options) { o.Knobs.Resource.Present = true },
		"resource is in trouble": statusAt("/.well-known/oauth-protected-resource/mcp", http.StatusServiceUnavailable),
		"resource is a page": func(o *sandbox.Options) {
			o.Knobs.Resource = sandbox.ResourceKnobs{Present: true, Answer: sandbox.AnswerHTML}
		},
		"metadata is unreachable": cutAt("/.well-known/oauth-authorization-server"),
		"resource is unreachable": cutAt("/.well-known/oauth-protected-resource"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := bare(t, change)
			if _, err := w.signIn(); !errors.Is(err, auth.ErrServer) {
				t.Errorf("err = %v", err)
			}
			w.wantCount("registrations", sandbox.Query{Path: "/register"}, 0)
		})
	}
}

func statusAt(path string, code int) func(*sandbox.Options) {
	return answerAt(path, func(rw http.ResponseWriter) { rw.WriteHeader(code) })
}

func cutAt(path string) func(*sandbox.Options) {
	return answerAt(path, func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
}

func answerAt(path string, answer func(http.ResponseWriter)) func(*sandbox.Options) {
	return func(o *sandbox.Options) {
		o.Wrap = func(_ sandbox.Role, next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == path {
					answer(rw)
					return
				}
				next.ServeHTTP(rw, r)
			})
		}
	}
}

// Never for PayU, whose endpoints are known to be elsewhere.
//
//oauth:row A16 auth/bare_server.go "isPayU(c.cfg.Resource) || " => ""
func TestSignIn_payuWithoutMetadata_noDefaultEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{TLS: true, PayUNames: true}, soon)
	w.sb.SetMetadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound, BareEndpoints: true})
	if _, err := w.signIn(); !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "no authorization server metadata") {
		t.Errorf("err = %v", err)
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 0)
}

// A server that had metadata before is in trouble: nobody is sent to a guess.
//
//oauth:row A16 auth/bare_server.go "|| c.hadMetadata(ctx, s)" => ""
func TestSignIn_metadataLost_noDefaultEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{OnePort: true}, soon)
	old := w.mustSignIn()
	w.sb.SetMetadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound, BareEndpoints: true})
	if _, err := w.signIn(); !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "no authorization server metadata") {
		t.Errorf("err = %v", err)
	}
	w.wantCount("authorizations", sandbox.Query{Path: "/authorize"}, 0)
	w.wantOnly(old)
}

// One that has none signs in again and again.
func TestSignIn_noMetadataAnywhereTwice_oneRegistration(t *testing.T) {
	t.Parallel()
	w := bare(t)
	w.mustSignIn()
	w.mustSignIn()
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 1)
}

// Nor is anybody sent to a page that is not there.
//
//oauth:row A16 auth/bare_server.go "if status != http.StatusNotFound && status != http.StatusGone {" => "if status != http.StatusTeapot {"
func TestSignIn_noMetadataNorEndpoints_saysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{OnePort: true}, soon)
	w.sb.SetMetadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound})
	_, err := w.signIn()
	if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "no authorization endpoint at ") || errors.Is(err, auth.ErrTimeout) {
		t.Errorf("err = %v", err)
	}
}
