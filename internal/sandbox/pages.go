package sandbox

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"net/url"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/markup"
)

//go:embed page.html
var pageHTML markup.HTML

//go:embed page.css
var pageCSS markup.HTML

// A cache of constants. There is no form-action: Chromium applies it to the
// redirect that follows the form, which leads to the client.
var pagePolicy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; frame-ancestors 'none'"
})

func (s *Sandbox) show(w http.ResponseWriter, status int, title string, body markup.HTML) {
	page := markup.Fill(pageHTML, markup.Put("title", title),
		markup.Place{Name: "style", HTML: pageCSS}, markup.Place{Name: "body", HTML: body})
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy())
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(page))
}

func (s *Sandbox) refuse(w http.ResponseWriter, title, words string) {
	s.show(w, http.StatusBadRequest, title, refusalBody(words))
}

func (s *Sandbox) showSignIn(w http.ResponseWriter, status int, id, fault string) {
	s.show(w, status, "Sign in", signInBody(id, fault))
}

// signIn takes the sign-in form.
func (s *Sandbox) signIn(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("request")
	a, open := s.logins.get(id)
	u, known := findUser(r.PostFormValue("user"))
	switch {
	case !open:
		s.refuseStale(w)
	case !known || r.PostFormValue("passphrase") != Passphrase:
		s.showSignIn(w, http.StatusUnauthorized, id, "That passphrase is not right. Nothing has been shared; try again.")
	case a.turnedAway.title != "":
		s.turnAway(w, &a)
	default:
		a.user = u.id
		s.logins.put(id, a)
		// Reloading the consent page must not send the passphrase again.
		w.Header().Set("Location", "/oauth/consent?"+url.Values{"request": {id}}.Encode())
		w.WriteHeader(http.StatusSeeOther)
	}
}

// consent shows what the application asks for.
func (s *Sandbox) consent(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("request")
	a, open := s.logins.get(id)
	if !open || a.user == "" {
		s.refuseStale(w)
		return
	}
	s.show(w, http.StatusOK, "Allow access?", consentBody(id, &a))
}

// decide takes the consent form. It counts once.
func (s *Sandbox) decide(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("request")
	a, open := s.logins.get(id)
	if !open || a.user == "" {
		s.refuseStale(w)
		return
	}
	s.logins.end(id)
	s.conclude(w, &a, r.PostFormValue("decision") == "allow")
}

func (s *Sandbox) refuseStale(w http.ResponseWriter) {
	s.refuse(w, "This sign-in is over", "It was answered already, or it never began here. Start again in the application.")
}
