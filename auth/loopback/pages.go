package loopback

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

// Page is what the browser shows. All texts are ours, or the caller's: nothing of
// the request is reflected (OAUTH X12). The template escapes them all the same.
type Page struct {
	Kind Kind
	// Title is the heading.
	Title string
	// Lines are paragraphs: what happened and what to do next.
	Lines []string
	// Command is what to type in a terminal; "": nothing.
	Command string
	// Facts are shown as a list of names and values, such as the account.
	Facts []Fact
}

// Fact is one name on a page, and its values: one, or a list.
type Fact struct {
	Name   string
	Values []string
}

// login is what a person types to begin anew.
const login = "payu-mcp login"

// Constant pages.
var (
	notFound = Page{Kind: KindNote, Title: "Nothing here", Lines: []string{
		"This address belongs to payu-mcp and is used only while you sign in.",
	}}
	wrongState = Page{Kind: KindNote, Title: "This is not the open sign-in", Lines: []string{
		"The answer does not belong to the sign-in that payu-mcp waits for, so it was not used.",
		"Finish in the tab that payu-mcp opened, or start again.",
	}, Command: login}
	alreadyUsed = Page{Kind: KindNote, Title: "Already used", Lines: []string{
		"This sign-in has been answered once, and an answer counts only once.",
		"You can close this tab. If you are not signed in, start again.",
	}, Command: login}
	otherBrowser = Page{Kind: KindNote, Title: "Opened in another browser", Lines: []string{
		"This sign-in was started in another browser, and only that one can finish it.",
		"Go on there. To use any browser you like, start again with an address that you open yourself.",
	}, Command: login + " --no-browser"}
	otherUser = Page{Kind: KindNote, Title: "Started by another user", Lines: []string{
		"Another user of this computer has started this sign-in, and only a browser of that user can finish it.",
		"If that was you, under another name: copy the address of this page and paste it where payu-mcp login --no-browser waits.",
	}}
	twoBrowsers = Page{Kind: KindFailed, Title: "Opened by two browsers", Lines: []string{
		"Two browsers have opened this sign-in, and it cannot be told which one is yours. So it was ended, and nothing was stored.",
		"Start again. If it happens again, somebody else on this computer may be trying to get in between; then use an address that you open yourself.",
	}, Command: login + " --no-browser"}
	tooLate = Page{Kind: KindLate, Title: "Too late", Lines: []string{
		"The time for this sign-in is over, so it was not finished. Nothing was stored; a login that was there before is unchanged.",
		"Ask again in the program that sent you here, or start again.",
	}, Command: login}
	pending = Page{Kind: KindPending, Title: "Finishing the sign-in", Lines: []string{
		"payu-mcp is storing your login. This page looks again by itself every two seconds.",
	}}
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// page is parsed once, when it is first needed: a bridge that never signs
// anybody in does not pay for it.
// A cache of constants.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(strings.Replace(pageHTML, "/*page.css*/", pageCSS, 1)))
})

// A cache of constants.
var policy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy())
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Connection", "close")
}

func (l *Listener) show(w http.ResponseWriter, code int, p Page) {
	var b bytes.Buffer
	if err := page().Execute(&b, p); err != nil {
		http.Error(w, p.Title, code)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // a browser that went away is not our fault
}
