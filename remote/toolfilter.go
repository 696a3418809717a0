package remote

import (
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

const (
	maxToolName = 128 // how much of a tool's name goes to the log
	maxExcluded = 100 // how many of the tools left out of one list do
)

// excluded is a tool that was left out of a list, and why.
type excluded struct {
	name   string
	reason error
}

// filter leaves the tools with invalid annotations out of an answer to
// tools/list; no other byte changes (RELAY H14, F4).
func (*toolbox) filter(answer jsonmsg.Message) (jsonmsg.Message, []excluded) {
	if !mayAnnotate(answer.Raw) {
		return answer, nil
	}
	var out []excluded
	s := splice{raw: answer.Raw}
	_, err := eachTool(answer.Raw, func(e toolEntry) {
		s.next(e)
		if !e.valid && len(out) < maxExcluded {
			out = append(out, excluded{strings.ToValidUTF8(e.name[:min(len(e.name), maxToolName)], ""), e.reason})
		}
	})
	if err != nil || len(out) == 0 {
		return answer, nil // Scan saw to it that there is no error
	}
	short, err := jsonmsg.Scan(s.rest())
	if err != nil {
		return answer, nil // cannot be: the commas go with the tools
	}
	return short, out
}

// splice copies an answer without its invalid tools. Each goes with the comma
// and the white space that part it from the tool before it, or, if none before
// it stays, from the one after it.
type splice struct {
	raw, out []byte
	done     int  // how far raw is dealt with
	end      int  // of the tool before
	kept     bool // one before in this list stays
	gap      bool // the comma after the tool before goes too
}

func (s *splice) next(e toolEntry) {
	s.kept = s.kept && !e.first
	if s.gap && !e.first {
		s.done = e.at
	}
	s.gap = false
	switch {
	case e.valid:
		s.kept = true
	case s.kept:
		s.cut(s.end, e.end)
	default:
		s.cut(e.at, e.end)
		s.gap = true
	}
	s.end = e.end
}

// cut leaves out the bytes between from and to, less what is left out already.
func (s *splice) cut(from, to int) {
	if s.out == nil {
		s.out = make([]byte, 0, len(s.raw))
	}
	s.out, s.done = append(s.out, s.raw[s.done:from]...), to
}

func (s *splice) rest() []byte { return append(s.out, s.raw[s.done:]...) }
