package auth_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// answered is a sign-in whose page was walked to its end, but for the redirect:
// its address, with the query changed.
func (w *world) answered(change func(q url.Values)) (*remote, string) {
	w.t.Helper()
	r := w.remote()
	u, err := url.Parse(w.far(r.url))
	if err != nil {
		w.t.Fatal(err)
	}
	q := u.Query()
	change(q)
	u.RawQuery = q.Encode()
	return r, u.String()
}

// RFC 9207 section 2.4 wants a simple string comparison: what a URL library
// would call the same address is another issuer.
//
//oauth:row A27 auth/authorize.go "iss[0] != a.Server.Issuer" => "false"
//oauth:row A27 auth/authorize.go "len(iss) != 1 ||" => ""
//oauth:row A28 auth/authorize.go "iss[0] != a.Server.Issuer" => "!strings.EqualFold(strings.Trim(iss[0], \"/?# \"), a.Server.Issuer)"
//oauth:row A28 auth/authorize.go "iss[0] != a.Server.Issuer" => "!strings.EqualFold(iss[0], a.Server.Issuer)"
func TestSignIn_iss_comparedAsAString(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(right string) []string{
		"slash":            func(s string) []string { return []string{s + "/"} },
		"scheme in caps":   func(s string) []string { return []string{strings.Replace(s, "http", "HTTP", 1)} },
		"escaped":          func(s string) []string { return []string{strings.Replace(s, "127", "%31%32%37", 1)} },
		"fragment":         func(s string) []string { return []string{s + "#"} },
		"query":            func(s string) []string { return []string{s + "?"} },
		"blank":            func(s string) []string { return []string{s + " "} },
		"beginning":        func(s string) []string { return []string{s[:len(s)-1]} },
		"more":             func(s string) []string { return []string{s + ".evil.example"} },
		"empty":            func(string) []string { return []string{""} },
		"right, twice":     func(s string) []string { return []string{s, s} },
		"right, then evil": func(s string) []string { return []string{s, "https://evil.example"} },
		"another":          func(string) []string { return []string{"https://evil.example"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.sb.Change(func(k *sandbox.Knobs) { k.Metadata.IssParameter = true })
			r, address := w.answered(func(q url.Values) { q["iss"] = change(q.Get("iss")) })
			r.paste <- address
			if err := <-r.done; !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "another authorization server") {
				t.Errorf("err = %v", err)
			}
			w.wantCount("codes sent", sandbox.Query{Path: "/oauth/token"}, 0)
		})
	}
}

// An error that comes with a wrong iss, or without one that was promised, is
// from nobody knows whom: it does not count as a denial, and its text is shown
// nowhere (RFC 9207 section 2.4).
//
//oauth:row A29 auth/authorize.go "case told && (len(iss) != 1" => "case told && !q.Has(\"error\") && (len(iss) != 1"
//oauth:row A29 auth/authorize.go "case !told && a.Server.IssRequired:" => "case !told && !q.Has(\"error\") && a.Server.IssRequired:"
func TestSignIn_errorWithWrongIss_notShown(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(q url.Values){
		"wrong":   func(q url.Values) { q.Set("iss", "https://evil.example") },
		"missing": func(q url.Values) { q.Del("iss") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.sb.Change(func(k *sandbox.Knobs) { k.Metadata.IssParameter = true })
			r, address := w.answered(func(q url.Values) {
				change(q)
				q.Del("code")
				q.Set("error", "access_denied")
				q.Set("error_description", "call-this-number")
				q.Set("error_uri", "https://help.example/call-this-number")
			})
			page := w.read(address)
			err := <-r.done
			if errors.Is(err, auth.ErrDenied) || !errors.Is(err, auth.ErrServer) {
				t.Errorf("err = %v", err)
			}
			for where, text := range map[string]string{"page": page, "error": err.Error(), "hint": hint.Of(err)} {
				if text == "" || strings.Contains(text, "call-this-number") || strings.Contains(text, "access_denied") {
					t.Errorf("%s: %q", where, text)
				}
			}
		})
	}
}

// read opens an address in a fresh browser and returns the page it ends at.
func (w *world) read(address string) string {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := w.browser().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(page)
}
