package markup_test

import (
	"html"
	"html/template"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/markup"
)

func TestFill_looksOnce(t *testing.T) {
	t.Parallel()
	got := markup.Fill(`<p title="{{a}}">{{b}}</p>`,
		markup.Put("a", `{{b}}" onclick="x`),
		markup.Place{Name: "b", HTML: markup.Each([]string{"<1>", "&2"}, markup.Text)})
	if want := markup.HTML(`<p title="{{b}}&#34; onclick=&#34;x">&lt;1&gt;&amp;2</p>`); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The standard library's templates, which know every place of a page, are the
// second opinion: a browser must read the same from both.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", `<script>alert("1")</script>`, "a'b\"c", "&amp;", "\x00", "\xff", "{{x}}", "\u202e", "--><!--", "a=b c`"} {
		f.Add(s)
	}
	both := template.Must(template.New("").Parse(`<p title="{{.}}">{{.}}</p>`))
	f.Fuzz(func(t *testing.T, s string) {
		text := markup.Text(s)
		if i := strings.IndexAny(string(text), "<>\"'\x00"); i >= 0 {
			t.Fatalf("%q leaves %q", s, text[i])
		}
		var want strings.Builder
		if err := both.Execute(&want, s); err != nil {
			t.Fatal(err)
		}
		got := markup.Fill(`<p title="{{s}}">{{s}}</p>`, markup.Put("s", s))
		valid := strings.ToValidUTF8(want.String(), "\uFFFD")
		if html.UnescapeString(string(got)) != html.UnescapeString(valid) {
			t.Errorf("%q is shown as %s, not as %s", s, got, valid)
		}
	})
}
