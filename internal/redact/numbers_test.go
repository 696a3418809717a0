package redact_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// The numbers are those that card schemes and PayU publish for tests.
func TestText_cardNumbers_masked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"4111111111111111":                          "[redacted]",
		"card 5123 4567 8901 2346 ok":               "card [redacted] ok",
		"5123-4567-8901-2346":                       "[redacted]",
		"id=312 4111111111111111 7":                 "id=312 [redacted] 7",
		"x4111111111111111y":                        "x[redacted]y",
		"378282246310005, 6011000990139424":         "[redacted], [redacted]",
		"30569309025904":                            "[redacted]",
		"4222222222222":                             "[redacted]", // 13 digits
		"6304000000000000000":                       "[redacted]", // 19 digits
		"6304 0000 0000 0000 00":                    "[redacted]", // 18 digits, Maestro
		"4111111111111112":                          "4111111111111112",
		"41111111111111111111":                      "41111111111111111111", // 20 digits
		"00000000-0000-4000-8000-000000000000":      "00000000-0000-4000-8000-000000000000",
		"rid 41111111-1111-4111-8111-111111111111.": "rid 41111111-1111-4111-8111-111111111111.",
		"4111  1111  1111  1111":                    "4111  1111  1111  1111",
		"1732591234567 ms":                          "1732591234567 ms",
		"phone 9876543210":                          "phone 9876543210", // a person may be told
		"a@example.com":                             "a@example.com",
	} {
		if got := redact.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLine_customers_masked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"mail asha.rao+1@shop.example.in now": "mail [redacted] now",
		"u=asha%40shop.example":               "u=[redacted]",
		"call 9876543210 or +919876543210":    "call [redacted] or +[redacted]",
		"98765 43210, +91-98765-43210":        "[redacted], +91-[redacted]",
		"09876543210":                         "[redacted]",
		"12345 67890":                         "12345 67890",
		"1234567890":                          "1234567890",
		"at 2026-11-26T04:02:26.123Z":         "at 2026-11-26T04:02:26.123Z",
		"tools/call":                          "tools/call",
		"card 5123-4567-8901-2346":            "card [redacted]",
	} {
		if got := redact.Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHandler_customers_masked(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := slog.New(redact.NewHandler(slog.NewTextHandler(&b, nil)))
	log.Info("for asha@shop.example", "card", "4111 1111 1111 1111", "phone", "9876543210", "size", 4111111111111111)
	out := b.String()
	if strings.Count(out, redact.Mark) != 3 || strings.Contains(out, "4111 ") || strings.Contains(out, "asha") || !strings.Contains(out, "size=4111111111111111") {
		t.Errorf("record = %s", out)
	}
}

// Each request makes one line, so masking must cost little where there is nothing
// to mask.
func BenchmarkLine_request(b *testing.B) {
	for b.Loop() {
		for _, s := range []string{"request", "tools/call", "get_transaction_details", "17", "41111111-1111-4111-8111-111111111111", "ok"} {
			_ = redact.Line(s)
		}
	}
}
