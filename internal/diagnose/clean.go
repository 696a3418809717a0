package diagnose

import (
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// support is the one address that a report may name.
const support = "ai-solutions@payu.in"

// placeholder is how our own advice writes the user of a URL.
const placeholder = "//USER:PASSWORD@"

// longest is for one text, in characters: some of it is a server's.
const longest = 1200

// shapes are those of what is nobody else's business.
type shapes struct{ query, address, userinfo, mail *regexp.Regexp }

// They are compiled for the first report, not at each start.
var compiled = sync.OnceValue(func() shapes {
	return shapes{
		query:    regexp.MustCompile(`(https?://[^\s?#"']*)[?#][^\s"']*`),
		address:  regexp.MustCompile(`https?://[^\s"']+`),
		userinfo: regexp.MustCompile(`https?://[^\s/@"']*@`),
		mail:     regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`),
	}
})

// Cleaner keeps secrets and personal data out of a report: what looks like a token
// or a code, the query and the user of URLs, mail addresses, and the user's name
// in paths.
type Cleaner struct {
	home *regexp.Regexp // nil: not known
	name *regexp.Regexp // of the user, as a part of a path
}

// NewCleaner takes the user's home folder; "": it is not known.
func NewCleaner(home string) Cleaner {
	home = strings.TrimRight(home, `/\`)
	if home == "" {
		return Cleaner{}
	}
	// Windows knows no case, and elsewhere nobody's home is another one's in capitals.
	c := Cleaner{home: regexp.MustCompile(`(?i)` + regexp.QuoteMeta(home) + `([/\\:;"'\s,)\]>]|\.(?:\s|$)|$)`)}
	if name := filepath.Base(strings.ReplaceAll(home, `\`, "/")); len(name) > 2 {
		c.name = regexp.MustCompile(`(?i)([/\\])` + regexp.QuoteMeta(name) + `([/\\]|$)`)
	}
	return c
}

// Text returns s fit for a report, on one line.
func (c Cleaner) Text(s string) string {
	s = redact.Text(printable.Line(s, longest))
	is := compiled()
	s = is.userinfo.ReplaceAllStringFunc(s, func(found string) string {
		if strings.HasSuffix(found, placeholder) {
			return found
		}
		scheme, _, _ := strings.Cut(found, "//")
		return scheme + "//"
	})
	s = is.query.ReplaceAllString(s, "${1}")
	s = is.mail.ReplaceAllStringFunc(s, func(found string) string {
		if found == support {
			return found
		}
		return redact.Mark
	})
	return c.paths(s)
}

// paths shortens paths, and leaves URLs alone: the name of a service's user, such
// as mcp, may well stand in one.
func (c Cleaner) paths(s string) string {
	var b strings.Builder
	from := 0
	for _, at := range append(compiled().address.FindAllStringIndex(s, -1), []int{len(s), len(s)}) {
		path := s[from:at[0]]
		if c.home != nil {
			path = c.home.ReplaceAllString(path, "~${1}")
		}
		if c.name != nil {
			path = c.name.ReplaceAllString(path, "${1}~${2}")
		}
		b.WriteString(path + s[at[0]:at[1]])
		from = at[1]
	}
	return b.String()
}
