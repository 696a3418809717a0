package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzReadMessage checks that whatever a host posts is a message with a valid id
// or an error, and that the log reads it without harm.
func FuzzReadMessage(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"x"}}`, `[{}]`, `{"id":null}`, `{"method":1}`,
		"\ufeff{}", `{"jsonrpc":"2.0","id":{},"result":1}`, `{"METHOD":"x","id":1.0}`, " ", "{",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		peek([]byte(body))
		m, flaw := readMessage(httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(body)))
		if (m == nil) == (flaw == nil) {
			t.Fatal("neither or both")
		}
		if m != nil && m.ID != nil && !json.Valid(result(m.ID, []byte("{}"))) {
			t.Fatal("an answer that is no JSON")
		}
	})
}

// FuzzFindForm checks that no page makes the visitor loop or leave the page's
// shape.
func FuzzFindForm(f *testing.F) {
	f.Add(`<form id="sign-in" action="/a"><input type="hidden" name="request" value="&lt;x">`)
	f.Add(`<form id="consent" action="><input <input`)
	f.Add(`<form `)
	f.Fuzz(func(t *testing.T, page string) {
		if form, ok := findForm(page); ok && form.id != "sign-in" && form.id != "consent" && form.id != "device" {
			t.Fatal(form.id)
		}
	})
}
