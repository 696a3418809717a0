package loopback

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/markup"
)

// Page is what the browser shows. All texts are ours, or the caller's: nothing of
// the request is reflected (OAUTH X12). They are escaped all the same.
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
var pageHTML markup.HTML

//go:embed page.css
var pageCSS markup.HTML

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
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(p.html())) // a browser that went away is not our fault
}

func (p Page) html() markup.HTML {
	return markup.Fill(pageHTML, markup.Put("tab", cmp.Or(p.Kind.State(), p.Title)), markup.Place{Name: "style", HTML: pageCSS},
		markup.Put("kind", string(p.Kind)), markup.Put("mark", p.Kind.Mark()), markup.Put("title", p.Title),
		markup.Place{Name: "lines", HTML: markup.Each(p.Lines, line)},
		markup.Place{Name: "command", HTML: command(p.Command)}, markup.Place{Name: "facts", HTML: facts(p.Facts)})
}

func line(words string) markup.HTML {
	return markup.Fill("<p dir=\"auto\">{{words}}</p>\n", markup.Put("words", words))
}

func command(typed string) markup.HTML {
	if typed == "" {
		return ""
	}
	return markup.Fill(`<p class="label">In a terminal on this computer:</p>
<p class="command"><code>{{typed}}</code></p>
`, markup.Put("typed", typed))
}

func facts(all []Fact) markup.HTML {
	if len(all) == 0 {
		return ""
	}
	return "<dl>\n" + markup.Each(all, fact) + "</dl>\n"
}

func fact(f Fact) markup.HTML {
	values := markup.Each(f.Values, func(v string) markup.HTML {
		return markup.Fill(`<li dir="auto">{{value}}</li>`, markup.Put("value", v))
	})
	shown := "<dd><ul>" + values + "</ul></dd>"
	if len(f.Values) == 1 {
		shown = markup.Fill(`<dd dir="auto">{{value}}</dd>`, markup.Put("value", f.Values[0]))
	}
	return markup.Fill("<div><dt>{{name}}</dt>\n{{values}}</div>\n", markup.Put("name", f.Name), markup.Place{Name: "values", HTML: shown})
}
