package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// The clients that are registered by hand at zitadel/oidc.
const (
	nativeClient = "native-by-hand"
	codeClient   = "code-by-hand"
	codeSecret   = "the-secret-of-the-client-for-codes"
)

// zitadel is github.com/zitadel/oidc as the authorization server of an endpoint
// (OAUTH V2): OpenID discovery only, no registration, and no idea of resource
// indicators. Whoever comes is signed in without a page.
type zitadel struct {
	issuer, endpoint string
	sb               *sandbox.Sandbox

	mu      sync.Mutex
	answers []tokenAnswer
	secrets []string
	refused map[string]bool // access tokens that the endpoint takes no longer
}

type tokenAnswer struct {
	grant           string
	status          int
	access, refresh string
}

// anybody is a user store in which every name is a user.
type anybody struct{}

func (anybody) GetUserByID(id string) *storage.User {
	return &storage.User{ID: id, Username: id, Password: "any", Email: id + "@shop.example"}
}
func (u anybody) GetUserByUsername(name string) *storage.User { return u.GetUserByID(name) }
func (anybody) ExampleClientID() string                       { return storage.ServiceUserID }

func startZitadel(t *testing.T) *zitadel {
	t.Helper()
	z := &zitadel{sb: startSandbox(t, sandbox.Options{}), refused: map[string]bool{}}
	var handler http.Handler
	as := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(as.Close)
	z.issuer = as.URL
	native := storage.NativeClient(nativeClient, "http://127.0.0.1/callback")
	codes := storage.DeviceClient(codeClient, codeSecret)
	st := storage.NewStorageWithClients(anybody{}, map[string]*storage.Client{nativeClient: native, codeClient: codes})
	handler = z.record(z.server(t, st))
	rs := httptest.NewServer(z.resource(t))
	t.Cleanup(rs.Close)
	z.endpoint = rs.URL + "/mcp"
	return z
}

func (z *zitadel) server(t *testing.T, st *storage.Storage) http.Handler {
	t.Helper()
	provider, err := op.NewProvider(&op.Config{
		CryptoKey: sha256.Sum256([]byte("only for tests")), CryptoKeyId: "key",
		CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
		DeviceAuthorization: op.DeviceAuthorizationConfig{Lifetime: time.Minute, PollInterval: time.Second, UserFormPath: "/device", UserCode: op.UserCodeBase20},
	}, st, op.StaticIssuer(z.issuer), op.WithAllowInsecure())
	if err != nil {
		t.Fatal(err)
	}
	m := http.NewServeMux()
	m.Handle("/", provider)
	callback := op.NewIssuerInterceptor(provider.IssuerFromRequest).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.FormValue("authRequestID")
		if err := st.CheckUsernamePassword("merchant", "any", id); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, op.AuthCallbackURL(provider)(r.Context(), id), http.StatusFound)
	})
	m.Handle("/login/username", callback)
	m.HandleFunc("/device", func(w http.ResponseWriter, r *http.Request) {
		if err := st.CompleteDeviceAuthorization(r.Context(), r.FormValue("user_code"), "merchant"); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	return m
}

// record keeps what the token and device endpoints say.
func (z *zitadel) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		z.note(form, rec)
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func (z *zitadel) note(form url.Values, rec *httptest.ResponseRecorder) {
	var said struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Device  string `json:"device_code"`
		ID      string `json:"id_token"`
	}
	_ = json.NewDecoder(bytes.NewReader(rec.Body.Bytes())).Decode(&said)
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, s := range []string{said.Access, said.Refresh, said.Device, said.ID, form.Get("code"), form.Get("code_verifier"), form.Get("refresh_token"), codeSecret} {
		if s != "" {
			z.secrets = append(z.secrets, s)
		}
	}
	if grant := form.Get("grant_type"); grant != "" {
		z.answers = append(z.answers, tokenAnswer{grant, rec.Code, said.Access, said.Refresh})
	}
}

// granted returns the good answers to a grant type; "": to any.
func (z *zitadel) granted(grant string) []tokenAnswer {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(z.answers), func(a tokenAnswer) bool { return a.status != http.StatusOK || grant != "" && a.grant != grant })
}

// refuseTokens makes the endpoint refuse the access tokens of so far: the example
// storage gives none that lives for less than five minutes.
func (z *zitadel) refuseTokens() {
	for _, a := range z.granted("") {
		z.mu.Lock()
		z.refused[a.access] = true
		z.mu.Unlock()
	}
}

func (z *zitadel) takes(t *testing.T, token string) bool {
	z.mu.Lock()
	refused := z.refused[token]
	z.mu.Unlock()
	return token != "" && !refused && z.alive(t, token)
}

// alive asks the server who the token's user is.
func (z *zitadel) alive(t *testing.T, token string) bool {
	t.Helper()
	return status(t, z.issuer+"/userinfo", token, url.Values{}) == http.StatusOK
}

// resource is the sandbox's endpoint behind a guard that knows this server's tokens.
func (z *zitadel) resource(t *testing.T) http.Handler {
	t.Helper()
	to, err := url.Parse(z.sb.ResourceOrigin())
	if err != nil {
		t.Fatal(err)
	}
	token := z.sb.IssueToken("B")
	inside := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(to)
		p.Out.Header.Set("Authorization", "Bearer "+token)
	}}
	const metadata = "/.well-known/oauth-protected-resource/mcp"
	m := http.NewServeMux()
	m.HandleFunc("GET "+metadata, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"resource": z.endpoint, "authorization_servers": []string{z.issuer}})
	})
	m.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		if bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !z.takes(t, bearer) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer resource_metadata=%q", "http://"+r.Host+metadata))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inside.ServeHTTP(w, r)
	})
	return m
}
