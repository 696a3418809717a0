package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// atPlaces answers at each path of codes with that status; 0 leaves it as it is.
func atPlaces(codes map[string]int) func(sandbox.Role, http.Handler) http.Handler {
	return func(_ sandbox.Role, next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if code := codes[r.URL.Path]; code != 0 {
				rw.WriteHeader(code)
				return
			}
			next.ServeHTTP(rw, r)
		})
	}
}

// metadataRead lists the places that were asked for metadata, in order.
func (w *world) metadataRead() []string {
	w.t.Helper()
	var places []string
	for _, e := range w.sb.Log().Entries() {
		if strings.Contains(e.Path, "/.well-known/") {
			places = append(places, e.Path)
		}
	}
	return places
}

const (
	prmAtPath = "/.well-known/oauth-protected-resource/mcp"
	prmAtRoot = "/.well-known/oauth-protected-resource"
	asAtRoot  = "/.well-known/oauth-authorization-server"
)

// The challenge names the place, in whichever of its parts; else the well-known
// places are asked, with the path first, until one has the document.
//
//oauth:row A2 auth/resource_meta.go "if ch.resourceMetadata != \"\" {" => "if false {"
//oauth:row A3 auth/resource_meta.go "if p := strings.TrimSuffix(u.EscapedPath(), \"/\"); p != \"\" {" => "if p := \"\"; p != \"\" {"
//oauth:row A3 auth/resource_meta.go "return append(places, origin(u)+wellKnown)" => "return places"
func TestSignIn_resourceMetadataPlaces_inOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		challenge []string
		codes     map[string]int
		want      []string
	}{
		"not named":              {[]string{"Bearer"}, nil, []string{prmAtPath, asAtRoot}},
		"nothing there":          {[]string{"Bearer"}, map[string]int{prmAtPath: 404}, []string{prmAtPath, prmAtRoot, asAtRoot}},
		"trouble there":          {[]string{"Bearer"}, map[string]int{prmAtPath: 500}, []string{prmAtPath, prmAtRoot, asAtRoot}},
		"named":                  {[]string{`Bearer resource_metadata="%s"`}, nil, []string{prmAtRoot, asAtRoot}},
		"named by another part":  {[]string{`Basic realm="a, b"`, `Negotiate, Bearer realm="mcp", resource_metadata="%s"`}, nil, []string{prmAtRoot, asAtRoot}},
		"named beside a bad one": {[]string{`Bearer realm="`, `Bearer realm=""`, `Bearer resource_metadata="%s"`}, nil, []string{prmAtRoot, asAtRoot}},
		"named, nothing there":   {[]string{`Bearer resource_metadata="%s"`}, map[string]int{prmAtRoot: 404}, []string{prmAtRoot, prmAtPath, asAtRoot}},
		"not readable":           {[]string{`Bearer resource_metadata="`}, nil, []string{prmAtPath, asAtRoot}},
		"no challenge at all":    {nil, nil, []string{prmAtPath, asAtRoot}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{Wrap: atPlaces(c.codes)}, soon)
			w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true})
			var challenges []string
			for _, ch := range c.challenge {
				challenges = append(challenges, strings.ReplaceAll(ch, "%s", w.sb.ResourceOrigin()+prmAtRoot))
			}
			if err := w.client.Rejected(t.Context(), redact.Secret(""), challenges); !errors.Is(err, auth.ErrSignInNeeded) {
				t.Fatal(err)
			}
			if _, err := w.client.SignIn(t.Context(), w.prompt()); err != nil {
				t.Fatal(err)
			}
			w.lastPage()
			if got := w.metadataRead(); !slices.Equal(got, c.want) {
				t.Errorf("asked %q, want %q", got, c.want)
			}
		})
	}
}

// Both kinds of authorization server metadata, at the places of the issuer, in
// order; never at the root when the issuer has a path. Trouble at one place is no
// reason to stop.
//
//oauth:row A4 auth/server_meta.go "return []string{o + oauth, o + oidc}, nil" => "return []string{o + oauth}, nil"
//oauth:row A5 auth/server_meta.go "o + oidc + p, o + p + oidc}, nil" => "o + oidc + p}, nil"
//oauth:row A5 auth/server_meta.go "[]string{o + oauth + p, " => "[]string{o + oauth, o + oauth + p, "
//oauth:row A5 auth/server_meta.go "[]string{o + oauth + p, o + oidc + p, " => "[]string{o + oidc + p, o + oauth + p, "
func TestSignIn_serverMetadataPlaces_inOrder(t *testing.T) {
	t.Parallel()
	const openID = "/.well-known/openid-configuration"
	withPath := []string{asAtRoot + "/tenant", openID + "/tenant", "/tenant" + openID}
	for name, c := range map[string]struct {
		issuerPath string
		codes      map[string]int
		want       []string
	}{
		"root":                {"", nil, []string{asAtRoot}},
		"root, OpenID":        {"", map[string]int{asAtRoot: 404}, []string{asAtRoot, openID}},
		"root in trouble":     {"", map[string]int{asAtRoot: 503}, []string{asAtRoot, openID}},
		"path":                {"/tenant", nil, withPath[:1]},
		"path, OpenID":        {"/tenant", map[string]int{withPath[0]: 404}, withPath[:2]},
		"path, OpenID behind": {"/tenant", map[string]int{withPath[0]: 404, withPath[1]: 500}, withPath},
		"path with slash":     {"/tenant/", map[string]int{withPath[0]: 404, withPath[1]: 404}, withPath},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{Wrap: atPlaces(c.codes)}, soon)
			w.sb.SetMetadata(sandbox.MetadataKnobs{IssuerPath: c.issuerPath, PathInserted: true, OpenID: true})
			w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true})
			w.mustSignIn()
			if got := w.metadataRead(); !slices.Equal(got, append([]string{prmAtPath}, c.want...)) {
				t.Errorf("asked %q, want %q", got, c.want)
			}
		})
	}
}

// resourceSays serves resource metadata with this resource, and nothing else of
// it.
func resourceSays(resource func(endpoint string) string) func(sandbox.Role, http.Handler) http.Handler {
	return func(role sandbox.Role, next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if role != sandbox.RoleResource || r.URL.Path != prmAtPath {
				next.ServeHTTP(rw, r)
				return
			}
			rw.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(rw, `{"resource":%q}`, resource("http://"+r.Host+"/mcp"))
		})
	}
}

// Metadata of another resource ends the sign-in: nothing else is tried.
//
//oauth:row A7 auth/resource_meta.go "if resource == c.cfg.Resource || isParent(resource, c.cfg.Resource) {" => "if true {"
//oauth:row X7 auth/resource_meta.go "if resource == c.cfg.Resource || isParent(resource, c.cfg.Resource) {" => "if true {"
//oauth:row X7 auth/resource_meta.go "strings.HasPrefix(full, path+\"/\")" => "strings.HasPrefix(full, path)"
//oauth:row A7 auth/resource_meta.go "p.User != nil || origin(p) != origin(e)" => "p.User != nil"
func TestSignIn_metadataOfAnotherResource_refusedWithoutFallback(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resource func(endpoint string) string
		ok       bool
	}{
		"the endpoint":     {func(e string) string { return e }, true},
		"its origin":       {func(e string) string { return strings.TrimSuffix(e, "/mcp") }, true},
		"with a slash":     {func(e string) string { return e + "/" }, true},
		"below it":         {func(e string) string { return e + "/sub" }, false},
		"beside it":        {func(e string) string { return strings.TrimSuffix(e, "cp") }, false},
		"another path":     {func(e string) string { return strings.TrimSuffix(e, "/mcp") + "/other" }, false},
		"another port":     {func(string) string { return "http://127.0.0.1:1/mcp" }, false},
		"another scheme":   {func(e string) string { return strings.Replace(e, "http:", "https:", 1) }, false},
		"another host":     {func(string) string { return "https://mcp.payu.example/mcp" }, false},
		"with a query":     {func(e string) string { return e + "?x=1" }, false},
		"with a user":      {func(e string) string { return strings.Replace(e, "//", "//me@", 1) }, false},
		"encoded":          {func(e string) string { return strings.Replace(e, "/mcp", "/%6dcp", 1) }, false},
		"none":             {func(string) string { return "" }, false},
		"its path only":    {func(string) string { return "/mcp" }, false},
		"another's, below": {func(string) string { return "https://evil.example/http://127.0.0.1/mcp" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{Wrap: resourceSays(c.resource)}, soon)
			_, err := w.signIn()
			if c.ok {
				if want := c.resource(w.sb.Endpoint()); err != nil || w.asked().Get("resource") != want {
					t.Errorf("err = %v, want %q sent", err, want)
				}
				return
			}
			if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "protected resource metadata is for") {
				t.Errorf("err = %v", err)
			}
			if got := w.metadataRead(); !slices.Equal(got, []string{prmAtPath}) {
				t.Errorf("asked %q", got)
			}
		})
	}
}
