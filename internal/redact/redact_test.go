package redact_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

const (
	value = "s3cr3t-value"
	hex64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func TestSecret_everyWayOfPrinting_showsMark(t *testing.T) {
	t.Parallel()
	s := redact.Secret(value)
	holder := struct{ Token redact.Secret }{s}
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", s, "holder", holder)
	for _, out := range []string{
		fmt.Sprint(s), fmt.Sprintf("%s %q %x %#v %v", s, s, s, s, &s), fmt.Sprintf("%+v %#v", holder, holder),
		string(asJSON), log.String(), s.String(), fmt.Errorf("got %v: %w", s, errors.ErrUnsupported).Error(),
	} {
		if strings.Contains(out, value) || strings.Contains(out, fmt.Sprintf("%x", value)) || !strings.Contains(out, redact.Mark) {
			t.Errorf("printed as %q", out)
		}
	}
	if s.Reveal() != value {
		t.Error("Reveal does not reveal")
	}
}

func TestText_shapes_masked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Authorization: Bearer " + hex64:                                     "Authorization: Bearer [redacted]",
		"GET /callback?code=abc&state=def HTTP/1.1":                          "GET /callback?code=[redacted]&state=[redacted] HTTP/1.1",
		`{"access_token":"abc","expires_in":5}`:                              `{"access_token":"[redacted]","expires_in":5}`,
		"jwt eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.xx":                         "jwt [redacted]",
		"token " + hex64 + " seen":                                           "token [redacted] seen",
		"key_" + hex64:                                                       "key_[redacted]",
		`{"client_secret":"a\"b\\","x":1}`:                                   `{"client_secret":"[redacted]","x":1}`,
		`answered "{\"access_token\": \"abc\",\"x\":1}"`:                     `answered "{\"access_token\": \"[redacted]\",\"x\":1}"`,
		"to=http%3A%2F%2F127.0.0.1%2Fcallback%3Fcode%3Da%252Fbc%26state%3dd": "to=http%3A%2F%2F127.0.0.1%2Fcallback%3Fcode%3D[redacted]%26state%3d[redacted]",
		"status code 401, request 7b0e1d5e-0f5c-4c3a-9d1e-3f2b1a0c9d8e":      "status code 401, request 7b0e1d5e-0f5c-4c3a-9d1e-3f2b1a0c9d8e",
	} {
		if got := redact.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHandler_messageAttrsGroups_masked(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := slog.New(redact.NewHandler(slog.NewTextHandler(&b, nil))).With("with", "Bearer "+hex64).WithGroup("g")
	log.Info("saw code=abcdef", "s", hex64, "err", errors.New("token="+value), slog.Group("in", "deep", hex64), "n", 7)
	out := b.String()
	for _, leak := range []string{hex64, value, "abcdef "} {
		if strings.Contains(out, leak) {
			t.Errorf("%q leaks %q", out, leak)
		}
	}
	if !strings.Contains(out, "g.n=7") || strings.Count(out, redact.Mark) != 5 {
		t.Errorf("record = %s", out)
	}
}

// What a server wrote is for the person who reads the message, not for the log.
func TestHandler_foreignWords_notLogged(t *testing.T) {
	t.Parallel()
	const words = "Asha Rao may not do this"
	one := fmt.Errorf("asking: %w", redact.Foreign(errors.New("the server says: "+words+". So it is"), words))
	both := fmt.Errorf("at last: %w", errors.Join(errors.New("x"), one))
	if !strings.Contains(both.Error(), words) || !errors.Is(both, one) {
		t.Errorf("the error itself is %q", both)
	}
	var b bytes.Buffer
	log := slog.New(redact.NewHandler(slog.NewTextHandler(&b, nil))).With("at", one)
	log.Info("m", "err", both, slog.Group("g", "err", one), "none", redact.Foreign(errors.New("plain"), ""))
	out := b.String()
	if strings.Contains(out, "Asha") || strings.Count(out, "the server says: "+redact.NotLogged+". So it is") != 3 || !strings.Contains(out, "none=plain") {
		t.Errorf("record = %s", out)
	}
}
