package printable_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/printable"
)

func TestPlain_table(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"a": true, "Z9": true, "0": true, "a-b_c": true, "12345678": true, "": false, "-a": false, "_a": false, "a.b": false, "a b": false, "a\n": false,
		"a/b": false, "é": false, "aé": false, "123456789": false, "a\x00": false,
	} {
		if got := printable.Plain(name, "-_", 8); got != want {
			t.Errorf("Plain(%q) = %v", name, got)
		}
	}
}

//oauth:row X19 internal/printable/printable.go "return unicode.IsControl(r) || r == utf8.RuneError || unicode.In(" => "return unicode.IsControl(r) || r == utf8.RuneError || false && unicode.In("
//oauth:row X19 internal/printable/printable.go "return unicode.IsControl(r) ||" => "return r < ' ' ||"
func TestLine_table(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "नमस्ते, ₹ 100 — é 日本": "नमस्ते, ₹ 100 — é 日本", "": "", " a  b ": "a b",
		"a\x1b[31mb": "a [31mb", "x\r\ny": "x y", "tab\there": "tab here", "bell\a": "bell", "back\b\bspace": "back space", "del\x7f": "del", "nul\x00byte": "nul byte",
		"\u0085c": "c", "csi\u009b31m": "csi 31m", "bad\xffutf": "bad utf", "\x9b31m": "31m",
		"a\u202eb": "a b", "a\u2066b\u2069": "a b", "a\u200fb": "a b", "a\u061cb": "a b",
		"pay\u200bu": "pay u", "\ufeffx": "x", "so\u00adft": "so ft", "a\u2028b\u2029c": "a b c", "tag\U000e0041": "tag", "a\u2060b": "a b", "p\ue000q": "p q",
		"ക\u0d4d\u200d": "ക\u0d4d", "fa\u200cmi": "fami",
	} {
		if got := printable.Line(in, 300); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
	for _, long := range []string{strings.Repeat("é", 1000), strings.Repeat("a\x1b", 1000)} {
		if got := printable.Line(long, 300); len([]rune(got)) != 303 || !strings.HasSuffix(got, "...") {
			t.Errorf("length %d", len([]rune(got)))
		}
	}
}

func TestJSON_sameMeaningNothingActs(t *testing.T) {
	t.Parallel()
	in := map[string]string{"a\u009b": "x\u202ey\x7f\x1b\u200b\ufeff\U000e0041\u2028\ue000 ₹ \"\\", "b": "c"}
	raw, err := json.MarshalIndent(in, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	out := printable.JSON(raw)
	var back map[string]string
	if err := json.Unmarshal(out, &back); err != nil || len(back) != 2 || back["a\u009b"] != in["a\u009b"] {
		t.Errorf("%q (%v)", back, err)
	}
	if bytes.ContainsAny(out, "\u009b\u202e\x7f\u200b\ufeff\U000e0041\ue000") || !strings.Contains(string(out), "₹") {
		t.Errorf("%q", out)
	}
}

func TestText_lines_stayLines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\r\nb\n\n  c\td  e\n": "a\nb\n\n  c\td  e\n", "x\x1b[2J\u009by\rz": "x [2J y z", "\u202eabc\x00": " abc ", "": "", "क\u0d4d\u200d ₹": "क\u0d4d ₹", "bad\xff": "bad ",
	} {
		if got := printable.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}
