package main

import (
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
)

func TestWhereElse_withoutLink_namesCode(t *testing.T) {
	t.Parallel()
	const page, link, code = "https://accounts.payu.in/device", "https://accounts.payu.in/device?user_code=WDJB-MJHT", "WDJB-MJHT"
	for name, c := range map[string]struct {
		other auth.ElsewhereError
		want  string
	}{
		"browser":      {auth.ElsewhereError{URL: "https://accounts.payu.in/authorize"}, "https://accounts.payu.in/authorize"},
		"link":         {auth.ElsewhereError{URL: link, Code: &auth.UserCode{Page: page, Link: link, Code: code}}, link},
		"without link": {auth.ElsewhereError{URL: page, Code: &auth.UserCode{Page: page, Code: code}}, page + " (the code is WDJB-MJHT)"},
	} {
		if got := whereElse(&c.other); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The code stands on a line of its own, and so does what to open: people copy them.
func TestCodeShower_addressAndCode_onLinesOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []auth.UserCode{
		{Page: "https://h.example/device", Code: "WDJB-MJHT"},
		{Page: "https://h.example/device", Link: "https://h.example/device?user_code=WDJB-MJHT", Code: "WDJB-MJHT"},
	} {
		var b strings.Builder
		codeShower(&b)(c)
		if text := b.String(); !strings.Contains(text, "\n"+c.Address()+"\n") || !strings.Contains(text, "\n    "+c.Code+"\n") || strings.Contains(text, "%!") {
			t.Errorf("text: %s", text)
		}
	}
}
