package diagnose_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

func report() *diagnose.Report {
	return &diagnose.Report{
		Version: "v1", System: "linux/amd64", Profile: "default", Endpoint: "https://api.payu.in/mcp",
		At: time.Date(2026, 11, 26, 4, 0, 0, 0, time.UTC),
		Lines: []diagnose.Line{
			{ID: "names", Result: diagnose.OK, Side: diagnose.Network, Text: "fine", Took: diagnose.Took(1500 * time.Microsecond)},
			{ID: "clock", Result: diagnose.Warning, Side: diagnose.Here, Text: "late", Next: "set it"},
			{ID: "tls", Result: diagnose.Fault, Side: diagnose.Network, Text: "bad", Next: "cure it"},
		},
		Facts: []diagnose.Fact{{ID: "U1", About: "issuer", Text: "x"}},
		Log:   []string{"first", "last"},
	}
}

func TestReport_text_linesNextStepsFactsAndSum(t *testing.T) {
	t.Parallel()
	r := report()
	r.Finish(diagnose.Cleaner{})
	var b strings.Builder
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	const want = `payu-mcp v1, linux/amd64, profile default, https://api.payu.in/mcp, 2026-11-26 04:00:00 UTC

ok       names             fine (1 ms)
warning  clock             [this computer] late
                           next: set it
fault    tls               [network] bad
                           next: cure it

What the endpoint shows without a login:

U1   issuer                           x

The end of the log:

first
last

1 fault, 1 warning; begin with: tls
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

func TestReport_json_worstResultAndMilliseconds(t *testing.T) {
	t.Parallel()
	for want, keep := range map[diagnose.Result]int{diagnose.OK: 1, diagnose.Warning: 2, diagnose.Fault: 3} {
		r := report()
		r.Lines = r.Lines[:keep]
		r.Finish(diagnose.Cleaner{})
		var b strings.Builder
		if err := r.JSON(&b); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Result string
			Lines  []struct {
				ID   string
				Took int `json:"took_ms"`
			}
		}
		if err := json.Unmarshal([]byte(b.String()), &got); err != nil || got.Result != string(want) || got.Lines[0].Took != 1 {
			t.Errorf("%v: %s", err, &b)
		}
	}
}

func TestCleaner_privateThings_areNotInAReport(t *testing.T) {
	t.Parallel()
	unix, windows := diagnose.NewCleaner("/homes/asha"), diagnose.NewCleaner(`C:\Users\Asha Rao\`)
	for in, want := range map[string]string{
		"/homes/asha/.cursor/mcp.json, /homes/ashaverma/x": "~/.cursor/mcp.json, /homes/ashaverma/x",
		"in /media/asha/disk and /homes/asha":              "in /media/~/disk and ~",
		"there is no /homes/asha. It is [/homes/asha]":     "there is no ~. It is [~]",
		"/homes/asha/x at https://x.example/asha/mcp":      "~/x at https://x.example/asha/mcp",
		"GET https://x.example/a?code=1234&state=abc":      "GET https://x.example/a",
		"https://x.example/a#f":                            "https://x.example/a",
		"proxy http://asha:pw@10.0.0.1:3128/":              "proxy http://10.0.0.1:3128/",
		"http://USER:PASSWORD@HOST:PORT":                   "http://USER:PASSWORD@HOST:PORT",
		"mail ra.ul+x@shop.example.in":                     "mail [redacted]",
		"write to ai-solutions@payu.in":                    "write to ai-solutions@payu.in",
		"Bearer 0123456789abcdef":                          "Bearer [redacted]",
		"two\nlines\x1b[31m":                               "two lines [31m",
	} {
		if got := unix.Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		`c:\users\asha rao\AppData\x.json`: `~\AppData\x.json`,
		`D:\backup\Asha Rao\x`:             `D:\backup\~\x`,
	} {
		if got := windows.Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := diagnose.NewCleaner("/").Text("/srv/x"); got != "/srv/x" {
		t.Errorf("without a home: %q", got)
	}
}

// What the report is made of passes the cleaner, whichever line it stands in.
func TestReport_finish_cleansEveryText(t *testing.T) {
	t.Parallel()
	const private = "/homes/asha/x"
	r := &diagnose.Report{
		Lines: []diagnose.Line{{ID: "a", Text: private, Next: private}},
		Facts: []diagnose.Fact{{ID: "U1", Text: private}},
		Log:   []string{private},
	}
	r.Finish(diagnose.NewCleaner("/homes/asha"))
	var text, object strings.Builder
	if r.Text(&text) != nil || r.JSON(&object) != nil || strings.Contains(text.String()+object.String(), "asha") {
		t.Errorf("%s%s", &text, &object)
	}
}
