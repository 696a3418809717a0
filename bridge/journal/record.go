package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// event is what a line of the journal tells.
type event string

const (
	begun   event = "begun"   // the first try is about to go out
	again   event = "again"   // another try, or another round of the same call
	ended   event = "ended"   // what became of it
	checked event = "checked" // a person has looked an unknown outcome up
)

// record is one line. No member is ever given another meaning.
type record struct {
	Event         event     `json:"event"`
	ID            string    `json:"id"`
	Run           string    `json:"run"` // of the process that began it; with ID unique
	At            time.Time `json:"at"`
	Tool          string    `json:"tool,omitempty"`
	InvoiceNumber string    `json:"invoiceNumber,omitempty"`
	RequestID     string    `json:"requestId,omitempty"`
	Outcome       Outcome   `json:"outcome,omitempty"`
}

const (
	maxLine = 4 << 10 // bytes: ours are a tenth of that
	// maxInvoice is how much of an invoice number is kept, in characters.
	maxInvoice = 100
)

// line writes a record. It stands on a line of its own even after one that broke
// off.
func (r record) line() ([]byte, error) {
	r.At = r.At.UTC().Truncate(time.Millisecond)
	b, err := json.Marshal(r.clean())
	if err != nil {
		return nil, fmt.Errorf("writing a line of the journal: %w", err)
	}
	return slices.Concat([]byte("\n"), b, []byte("\n")), nil
}

// clean makes texts of others fit for a terminal, and short.
func (r record) clean() record {
	if r.Tool != "" {
		r.Tool = printable.Word(r.Tool)
	}
	if r.RequestID != "" {
		r.RequestID = printable.Word(r.RequestID)
	}
	r.InvoiceNumber = printable.Line(r.InvoiceNumber, maxInvoice)
	return r
}

var errDamaged = errors.New("the line is damaged")

// parse reads a line.
func parse(line []byte) (r record, err error) {
	if len(line) > maxLine || json.Unmarshal(line, &r) != nil {
		return r, errDamaged
	}
	ends := slices.Contains([]Outcome{Done, Failed, Asked, NotSent, Unknown}, r.Outcome)
	switch {
	case !isName(r.ID, idLength), !isName(r.Run, runLength), r.At.IsZero(), ends != (r.Event == ended),
		!slices.Contains([]event{begun, again, ended, checked}, r.Event):
		return r, errDamaged
	}
	return r.clean(), nil
}

// lines are those of a file that are not empty. What a disk may leave in the place
// of a writing that broke off counts as nothing.
func lines(content []byte) (all [][]byte) {
	for l := range bytes.SplitSeq(content, []byte("\n")) {
		if l = bytes.Trim(l, "\x00 \r\t"); len(l) > 0 {
			all = append(all, l)
		}
	}
	return all
}

// Normal is an id as a person types it: in whatever case, and with the letters
// that look like digits.
func Normal(id string) string {
	return strings.NewReplacer("o", "0", "i", "1", "l", "1").Replace(strings.ToLower(strings.TrimSpace(id)))
}
