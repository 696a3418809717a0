package sandbox

import (
	"html"
	"net/url"
	"strings"
)

// form is one of our own, as the pages show it. This reads page.html and is
// no HTML parser.
type form struct {
	id, action string
	hidden     url.Values
}

func findForm(page string) (form, bool) {
	_, rest, ok := strings.Cut(page, "<form ")
	if !ok {
		return form{}, false
	}
	inner, _, _ := strings.Cut(rest, "</form>")
	tag, inner, _ := strings.Cut(inner, ">")
	f := form{id: attribute(tag, "id"), action: attribute(tag, "action"), hidden: url.Values{}}
	for {
		var input string
		if _, inner, ok = strings.Cut(inner, "<input "); !ok {
			return f, f.id == "sign-in" || f.id == "consent" || f.id == "device"
		}
		input, inner, _ = strings.Cut(inner, ">")
		if kind := attribute(input, "type"); kind == "hidden" || kind == "text" {
			f.hidden.Set(attribute(input, "name"), attribute(input, "value"))
		}
	}
}

// attribute reads name="value" out of a tag.
func attribute(tag, name string) string {
	_, rest, ok := strings.Cut(" "+tag, " "+name+`="`)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}
