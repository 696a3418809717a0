package journal

import "time"

// Outcome is what became of a call.
type Outcome string

// The outcomes. The last one is never written: it is what an entry without an end
// is as long as its process lives.
const (
	Done    Outcome = "done"     // the server has answered with a result
	Failed  Outcome = "failed"   // the server, or what stands before it, has answered that it was not carried out
	Asked   Outcome = "asked"    // the server has asked something back instead; the call with the answer has an entry of its own
	NotSent Outcome = "not_sent" // it has not reached the server
	Unknown Outcome = "unknown"  // it may have been carried out
	Running Outcome = "running"  // it is under way
)

// Call is what the journal is told about a call.
type Call struct {
	Tool          string
	InvoiceNumber string // "": the arguments have none
	RequestID     string // X-Request-ID of the try that is about to go out
}

// Entry is one call of a tool that may change something. All of its texts are fit
// for a terminal.
type Entry struct {
	ID            string // short and typable; unique enough for a person
	Tool          string
	InvoiceNumber string
	RequestID     string // of the last try
	Begun         time.Time
	Ended         time.Time // zero: nobody has written its end
	Outcome       Outcome
	Checked       time.Time // when a person has looked up an unknown outcome; zero: nobody has

	run string
}

// Open reports whether somebody still has to look up what became of the call.
func (e Entry) Open() bool { return e.Outcome == Unknown && e.Checked.IsZero() }
