package main

import (
	"bytes"
	"strings"
	"testing"
)

// newTestScreen is a terminal of so many columns.
func newTestScreen(columns int) (*screen, *bytes.Buffer) {
	var out bytes.Buffer
	return &screen{w: &out, width: func() int { return columns }}, &out
}

// shownOn plays a terminal that knows \r and \n, and gives its lines.
func shownOn(out string) string {
	var lines []string
	for line := range strings.SplitSeq(out, "\n") {
		var cells []rune
		at := 0
		for _, r := range line {
			if r == '\r' {
				at = 0
				continue
			}
			if at == len(cells) {
				cells = append(cells, r)
			} else {
				cells[at] = r
			}
			at++
		}
		lines = append(lines, strings.TrimRight(string(cells), " "))
	}
	return strings.Join(lines, "\n")
}

func TestScreen_progress_oneLineAndNothingLeft(t *testing.T) {
	t.Parallel()
	s, out := newTestScreen(20)
	s.progress("tool: a long message that goes on")
	if got := shownOn(out.String()); got != "tool: a long mes..." {
		t.Errorf("%q", got)
	}
	s.progress("tool: short")
	if got := shownOn(out.String()); got != "tool: short" {
		t.Errorf("%q", got)
	}
	if _, err := s.Write([]byte("payu-mcp: warning: x\n")); err != nil {
		t.Fatal(err)
	}
	if got := shownOn(out.String()); got != "payu-mcp: warning: x\ntool: short" {
		t.Errorf("%q", got)
	}
	s.quiet(true)
	s.progress("tool: not while somebody is asked")
	if got := shownOn(out.String()); got != "payu-mcp: warning: x\n" {
		t.Errorf("%q", got)
	}
	s.quiet(false)
	s.progress("\x1b[2J\u202etool:\nnext")
	s.progress("")
	if got := shownOn(out.String()); got != "payu-mcp: warning: x\n" || strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("%q", out)
	}
	var none *screen
	none.progress("nobody sees it")
}

func TestFit_wideCharacters_neverTooLong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"short": "short", "exactly 10": "exactly 10", "eleven char": "eleven ...", "日本日本日": "日本日本日", "日本日本日本": "日本日...", "": "",
	} {
		if got := fit(text, 10); got != want {
			t.Errorf("fit(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestNearest_typos_nearestFirst(t *testing.T) {
	t.Parallel()
	tools := []shellTool{{name: "health_check"}, {name: "payLinks_paymentLink_create"}, {name: "payLinks_paymentLink_send"}, {name: "health_chek\x1b[31m"}}
	for name, want := range map[string]string{
		"health_chek": "health_check", "HEALTH_CHECK": "health_check", "paymentlink": "payLinks_paymentLink_create payLinks_paymentLink_send",
		"refund": "", "": "", strings.Repeat("x", 10_000): "", "create": "payLinks_paymentLink_create",
	} {
		if got := strings.Join(nearest(name, tools), " "); got != want {
			t.Errorf("nearest(%.20q) = %q, want %q", name, got, want)
		}
	}
}

func TestProgressText_numbers(t *testing.T) {
	t.Parallel()
	for params, want := range map[string]string{
		`{"progress":1,"total":4,"message":"part"}`: "t: 25% part", `{"progress":3}`: "t: at work", `{"progress":9,"total":4}`: "t: at work",
		`{"progress":"x"}`: "t", `{"progress":1,"total":0,"message":"m"}`: "t: m", `null`: "t: at work",
	} {
		if got := progressText("t", []byte(params)); got != want {
			t.Errorf("%s: %q, want %q", params, got, want)
		}
	}
}

// Contents of each kind, and what is structured only where there is no text.
func TestResultText_kinds(t *testing.T) {
	t.Parallel()
	for result, want := range map[string]string{
		`{"content":[{"type":"text","text":"a"},{"type":"text","text":"b\n"}],"structuredContent":{"a":1}}`:                  "a\nb\n",
		`{"content":[],"structuredContent":{"big":9007199254740993,"a":[]}}`:                                                 "{\n  \"big\": 9007199254740993,\n  \"a\": []\n}\n",
		`{"content":[{"type":"image","mimeType":"image/png","data":"AAAAAAAA"}]}`:                                            "[image, image/png, 6 bytes; --json has it]\n",
		`{"content":[{"type":"resource_link","name":"n","uri":"https://x"}]}`:                                                "[link to n: https://x]\n",
		`{"content":[{"type":"resource","resource":{"uri":"u","text":"t"}}]}`:                                                "[resource u]\nt\n",
		`{"content":[{"type":"resource","resource":{"uri":"u","mimeType":"m","blob":"` + strings.Repeat("A", 4000) + `"}}]}`: "[resource u, m, 3 kB; --json has it]\n",
		`{"content":[{"type":"hologram"}]}`:                                                                                  "[hologram; --json has it]\n",
		`{}`:                                                                                                                 "", `{"content":7}`: "",
	} {
		if got := resultText([]byte(result)); got != want {
			t.Errorf("%.60s: %q, want %q", result, got, want)
		}
	}
}
