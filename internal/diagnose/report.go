package diagnose

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// Result is what a check came to.
type Result string

// The results. A warning is worth knowing and stops nothing.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Fault   Result = "fault"
)

// Side is where a line's cause is, and so who can cure it.
type Side string

// The sides, in the words of the errors that hosts get.
const (
	Here    Side = "this computer"
	Network Side = "network"
	PayU    Side = "PayU"
	Host    Side = "host"
)

// Line is one thing that was looked at.
type Line struct {
	// ID is a stable name, such as "tls"; that of a host's entry is "host" and the
	// host's id.
	ID     string `json:"id"`
	Result Result `json:"result"`
	Side   Side   `json:"side"`
	Text   string `json:"text"`
	// Next is what cures it; never empty with a warning or a fault.
	Next string `json:"next,omitempty"`
	// Took is how long it took, where that tells something.
	Took Took `json:"took_ms,omitempty"`
}

// Took is a duration that reads as milliseconds.
type Took time.Duration

// MarshalJSON implements json.Marshaler.
func (t Took) MarshalJSON() ([]byte, error) { return json.Marshal(t.milliseconds()) }

// milliseconds is at least 1: what took time is not shown as nothing.
func (t Took) milliseconds() int64 { return max(1, time.Duration(t).Milliseconds()) }

// Fact answers one of the questions about PayU's service that its documentation
// leaves open, as far as that shows without a login.
type Fact struct {
	ID    string `json:"id"`
	About string `json:"about"`
	Text  string `json:"text"`
}

// Report is what doctor prints. Members of its JSON form are only ever added.
type Report struct {
	Version  string    `json:"version"`
	System   string    `json:"system"`
	Profile  string    `json:"profile"`
	Endpoint string    `json:"endpoint"`
	At       time.Time `json:"at"`
	// Result is the worst of the lines'.
	Result Result `json:"result"`
	Lines  []Line `json:"lines"`
	Facts  []Fact `json:"facts"`
	// Log has the last lines of the log, the oldest first.
	Log []string `json:"log"`
}

// Take fills in what was found.
func (r *Report) Take(found Findings) {
	r.Lines, r.Facts, r.Log = found.Lines, found.Facts, found.Log
}

// Faults returns the lines that are faults.
func (r *Report) Faults() []Line { return r.having(Fault) }

func (r *Report) having(want Result) []Line {
	var all []Line
	for _, l := range r.Lines {
		if l.Result == want {
			all = append(all, l)
		}
	}
	return all
}

// Finish fills in the result, and cleans every text.
func (r *Report) Finish(c Cleaner) {
	r.Result = OK
	if len(r.having(Warning)) > 0 {
		r.Result = Warning
	}
	if len(r.Faults()) > 0 {
		r.Result = Fault
	}
	r.Endpoint = c.Text(r.Endpoint)
	for i := range r.Lines {
		l := &r.Lines[i]
		l.ID, l.Text, l.Next = c.Text(l.ID), c.Text(l.Text), c.Text(l.Next)
	}
	for i := range r.Facts {
		r.Facts[i].Text = c.Text(r.Facts[i].Text)
	}
	for i := range r.Log {
		r.Log[i] = c.Text(r.Log[i])
	}
}

// JSON writes the report as one object.
func (r *Report) JSON(w io.Writer) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	_, err = w.Write(append(printable.JSON(b), '\n'))
	return err
}

// Text writes the report for people: a line each with its result and name, the
// side where something is to be done, and below it the next step.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "payu-mcp %s, %s, profile %s, %s, %s\n\n", r.Version, r.System, r.Profile, r.Endpoint, r.At.UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, l := range r.Lines {
		fmt.Fprintf(&b, "%-8s %-17s %s\n", l.Result, l.ID, l.said())
		if l.Next != "" {
			fmt.Fprintf(&b, "%-8s %-17s next: %s\n", "", "", l.Next)
		}
	}
	if len(r.Facts) > 0 {
		b.WriteString("\nWhat the endpoint shows without a login:\n\n")
	}
	for _, f := range r.Facts {
		fmt.Fprintf(&b, "%-4s %-32s %s\n", f.ID, f.About, f.Text)
	}
	if len(r.Log) > 0 {
		b.WriteString("\nThe end of the log:\n\n")
	}
	for _, line := range r.Log {
		b.WriteString(line + "\n")
	}
	fmt.Fprintf(&b, "\n%s\n", r.sum())
	_, err := io.WriteString(w, b.String())
	return err
}

// said is a line's text with the side, where that matters, and the time.
func (l Line) said() string {
	text := l.Text
	if l.Result != OK {
		text = "[" + string(l.Side) + "] " + text
	}
	if l.Took > 0 {
		text += fmt.Sprintf(" (%d ms)", l.Took.milliseconds())
	}
	return text
}

// sum is the last line.
func (r *Report) sum() string {
	faults, warnings := r.Faults(), r.having(Warning)
	text := count(len(faults), "fault") + ", " + count(len(warnings), "warning")
	if len(faults) > 0 {
		text += "; begin with: " + faults[0].ID
	}
	return text
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
