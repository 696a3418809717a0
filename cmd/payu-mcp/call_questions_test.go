package main

import (
	"io"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// Whatever a server asks its host, it gets an answer of the right shape.
func TestQuestions_serverAsksOtherThings_answered(t *testing.T) {
	t.Parallel()
	q := &questions{stderr: io.Discard}
	for method, want := range map[string]string{
		"ping":                   `{"result":{}}`,
		"elicitation/create":     `{"result":{"action":"cancel"}}`, // nobody is there
		"sampling/createMessage": `{"error":{"code":-32601,"message":"method not found"}}`,
		"shop/unheard_of":        `{"error":{"code":-32601,"message":"method not found"}}`,
	} {
		m, err := jsonmsg.Scan([]byte(`{"jsonrpc":"2.0","id":"s","method":"` + method + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(jsonmsg.Object(q.answer(t.Context(), m))); got != want {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
	}
}
