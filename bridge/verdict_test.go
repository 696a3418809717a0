package bridge_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/bridge/translate"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// asOurs is the data of an error of ours, as a server can write it too.
const asOurs = `"data":{"source":"payu-mcp","kind":"unreachable","side":"network","hint":"repeat the request","requestId":"` + fakeRequestID + `"}`

// verdictCase is one answer of a server to a call, and what the journal must say.
type verdictCase struct {
	status int
	error  string // the members of the JSON-RPC error
	want   journal.Outcome
}

// answers lets an upstream answer calls with an HTTP status and an error.
func (c verdictCase) answers(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
	h.Head(c.status, fakeRequestID)
	h.Deliver(scan(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"error":{` + c.error + `}}`))
	return nil
}

// A server that writes its error as ours would be is not believed that the call did
// not run, and the host gets its bytes as they came.
func TestJournal_errorThatPosesAsOurs_staysUnknown(t *testing.T) {
	t.Parallel()
	for _, c := range []verdictCase{
		{200, `"code":-32603,"message":"network: cannot connect, nothing was sent",` + asOurs, journal.Unknown},
		{502, `"code":-32603,"message":"x",` + asOurs, journal.Unknown},
		{500, `"code":-32000,"message":"x",` + asOurs, journal.Unknown},
		{200, `"code":-32000,"message":"x",` + asOurs, journal.Failed}, // a refusal, whoever it says to be
	} {
		synctest.Test(t, func(t *testing.T) {
			l, s := &ledger{}, newShop(wholeList)
			s.calling(c.answers)
			h := atTill(t, s, l, bridge.Config{})
			h.send(call1("create_link"))
			h.expect(`{"jsonrpc":"2.0","id":1,"error":{` + c.error + `}}`)
			h.eof()
			l.is(t, "e1 begin create_link  "+fakeRequestID, "e1 "+string(c.want))
		})
	}
}

// Behind a legacy host the errors of a modern server that it cannot know are put in
// words of ours: what they are in the journal hangs on the server's answer, and
// where that leaves the outcome open the host hears of the entry.
func TestJournal_errorsOfAModernServer_byItsAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []verdictCase{
		{400, `"code":-32020,"message":"x"`, journal.Failed},
		{400, `"code":-32021,"message":"x"`, journal.Failed},
		{200, `"code":-32022,"message":"x"`, journal.Failed},
		{500, `"code":-32020,"message":"x",` + asOurs, journal.Unknown},
		{503, `"code":-32021,"message":"x"`, journal.Unknown},
		{200, `"code":-32603,"message":"x",` + asOurs, journal.Unknown},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &ledger{}
			up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
				if m.Method == "tools/call" {
					return c.answers(ctx, m, h)
				}
				h.Deliver(scan(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}`))
				return nil
			}}
			modern := func() remote.Era { return remote.EraModern }
			h := start(t, bridge.Config{Remote: translate.New(up, modern, nil), Era: modern, Journal: l, JournalCommand: showUnknown})
			h.send(initialize, inited)
			h.next()
			h.send(call1("create_link"))
			line := h.next()
			h.eof()
			l.is(t, "e1 begin create_link  "+fakeRequestID, "e1 "+string(c.want))
			theirs := strings.Contains(c.error, "-32603")
			if named := strings.Contains(line, "entry e1"); named != (c.want == journal.Unknown && !theirs) {
				t.Errorf("HTTP %d, %s: the host got %s", c.status, c.error, line)
			}
		})
	}
}
