package sandbox

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// A cache of constants.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(strings.Replace(pageHTML, "/*style*/", pageCSS, 1)))
})

// A cache of constants. There is no form-action: Chromium applies it to the
// redirect that follows the form, which leads to the client.
var pagePolicy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; frame-ancestors 'none'"
})

// page is what the template shows: one of its three kinds.
type page struct {
	Kind, Title         string // kind: sign-in, consent, device, end, refusal
	Request             string // the open authorization
	Fault, Text         string
	Passphrase          string
	Users               []choice
	Application, Answer string
	User                string
	Permissions         []permission
	Code                string // of a device
}

type choice struct{ ID, Label string }

func (s *Sandbox) show(w http.ResponseWriter, status int, p page) {
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, p); err != nil {
		http.Error(w, p.Title, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy())
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func (s *Sandbox) refuse(w http.ResponseWriter, title, text string) {
	s.show(w, http.StatusBadRequest, page{Kind: "refusal", Title: title, Text: text})
}

func (s *Sandbox) showSignIn(w http.ResponseWriter, status int, id, fault string) {
	p := page{Kind: "sign-in", Title: "Sign in", Request: id, Fault: fault, Passphrase: Passphrase}
	for _, u := range users() {
		p.Users = append(p.Users, choice{u.id, u.label()})
	}
	s.show(w, status, p)
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
	u, _ := findUser(a.user)
	p := page{Kind: "consent", Title: "Allow access?", Request: id, Application: cmp.Or(a.client.Name, a.client.ID), User: u.label(), Permissions: consentWords()}
	if to, err := url.Parse(a.redirect); err == nil {
		p.Answer = to.Host
	}
	if a.device != "" {
		p.Answer = "the program that shows the code " + a.device
	}
	s.show(w, http.StatusOK, p)
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
