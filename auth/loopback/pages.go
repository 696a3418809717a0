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

// Kind says which state a page shows; it chooses the page's mark and colour.
type Kind string

// The kinds of page.
const (
	KindSuccess Kind = "success" // signed in and stored
	KindDenied  Kind = "denied"  // the person or the server said no
	KindFailed  Kind = "failed"  // something went wrong
	KindPending Kind = "pending" // not known yet
)

// Page is what the browser shows at the end. All texts are ours: nothing of the
// request is reflected (OAUTH X12). The template escapes them all the same.
type Page struct {
	Kind Kind
	// Title is the state in a few words: the tab's title and the page's heading.
	Title string
	// Lines are paragraphs: what happened and what to do next.
	Lines []string
	// Facts are shown as a list of names and values, such as the account.
	Facts []Fact
}

// Fact is one name and value on a page.
type Fact struct{ Name, Value string }

// Constant pages.
var (
	notFound   = Page{Kind: KindFailed, Title: "Nothing here", Lines: []string{"This address belongs to payu-mcp and is used only while you sign in."}}
	wrongState = Page{Kind: KindFailed, Title: "This is not the open sign-in", Lines: []string{
		"The answer does not belong to the sign-in that payu-mcp waits for, so it was not used.",
		"Finish in the tab that payu-mcp opened, or start again with: payu-mcp login",
	}}
	alreadyUsed = Page{Kind: KindFailed, Title: "Already used", Lines: []string{
		"This sign-in has been answered once, and an answer counts only once.",
		"If you are not signed in, start again with: payu-mcp login",
	}}
	otherBrowser = Page{Kind: KindFailed, Title: "Opened in another browser", Lines: []string{
		"This sign-in was started in another browser or tab, and only that one can finish it.",
		"For an address that works in any browser, run: payu-mcp login --no-browser",
	}}
	pending = Page{Kind: KindPending, Title: "Finishing the sign-in", Lines: []string{"This page looks again by itself."}}
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
