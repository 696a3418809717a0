package fault

import (
	"context"
	"net/http"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Ran says whether the request has run at the server when its cut is over.
type Ran int

// What can be true of a cut.
const (
	RanNo Ran = iota
	RanYes
)

// Shape is what surrounds a cut.
type Shape struct {
	HTTP2  bool // over TLS; else HTTP/1.1 in plain
	SSE    bool // answers are event streams; else JSON
	Modern bool // host and server speak 2026-07-28; else 2025-11-25
}

// Scene is where a cut happens. Match selects the request; faults of the
// connection hit the next one that comes.
type Scene struct {
	Sandbox  *sandbox.Sandbox
	Injector *Injector
	Line     *Line
	Shape    Shape
	Match    func(Request) bool
}

// Cut is one point at which one request is cut, once.
type Cut struct {
	Name string
	// Row is the row of the retry matrix that it belongs to (RELAY section 6); F4
	// for what is an answer all the same.
	Row string
	// Ran is the truth. Sure: it has not run and the client can know, so that the
	// request must succeed in the end.
	Ran  Ran
	Sure bool
	// Knobs, if set, changes what the server must be for this cut.
	Knobs func(*sandbox.MCPKnobs)

	fits func(Shape) bool
	arm  func(context.Context, Scene) (fired func() int, err error)
}

// Fits tells whether there is such a cut in this shape.
func (c Cut) Fits(s Shape) bool { return c.fits == nil || c.fits(s) }

// Arm prepares the cut; nothing else may be under way. fired counts how often it
// happened since.
func (c Cut) Arm(ctx context.Context, s Scene) (fired func() int, err error) { return c.arm(ctx, s) }

// Cuts are all cuts.
func Cuts() []Cut {
	return append(append(lineCuts(), statusCuts()...), answerCuts()...)
}

func overHTTP2(s Shape) bool   { return s.HTTP2 }
func legacy(s Shape) bool      { return !s.Modern }
func modern(s Shape) bool      { return s.Modern }
func streams(s Shape) bool     { return s.SSE }
func resumable(s Shape) bool   { return s.SSE && !s.Modern }
func rich(k *sandbox.MCPKnobs) { k.Answer = sandbox.AnswerRichSSE }
func kept(k *sandbox.MCPKnobs) { k.Answer, k.Resumable = sandbox.AnswerRichSSE, true }

// lineCuts happen to connections: before a handler could know of the request.
func lineCuts() []Cut {
	fresh := func(c lineCut) func(context.Context, Scene) (func() int, error) {
		return func(ctx context.Context, s Scene) (func() int, error) {
			if err := s.Line.DropIdle(ctx); err != nil {
				return nil, err
			}
			s.Line.arm(c)
			return since(s.Line), nil
		}
	}
	onNext := func(c lineCut) func(context.Context, Scene) (func() int, error) {
		return func(_ context.Context, s Scene) (func() int, error) {
			s.Line.arm(c)
			return since(s.Line), nil
		}
	}
	idle := func(ctx context.Context, s Scene) (func() int, error) {
		fired := since(s.Line)
		return func() int { return min(1, fired()) }, s.Line.DropIdle(ctx)
	}
	return []Cut{
		{Name: "connection refused", Row: "R1", Sure: true, arm: fresh(cutDial)},
		{Name: "closed in the TLS handshake", Row: "R1", Sure: true, fits: overHTTP2, arm: fresh(cutHandshake)},
		{Name: "idle connection closed", Row: "R2", Sure: true, arm: idle},
		{Name: "stream refused", Row: "R3", Sure: true, fits: overHTTP2, arm: onNext(cutStream)},
		{Name: "server goes away", Row: "R3", Sure: true, fits: overHTTP2, arm: onNext(cutGoAway)},
		{Name: "reset, request unread", Row: "R4", arm: onNext(cutReset)},
	}
}

// since counts what fires on the line from now on.
func since(l *Line) func() int {
	before := l.Fired()
	return func() int { return l.Fired() - before }
}

// inject gives the selected request a fault, once.
func inject(f Fault) func(context.Context, Scene) (func() int, error) {
	return injectFor(func(Scene) Fault { return f })
}

func injectFor(f func(Scene) Fault) func(context.Context, Scene) (func() int, error) {
	return func(_ context.Context, s Scene) (func() int, error) { return s.Injector.AddIf(s.Match, 1, f(s)), nil }
}

// statusCuts are answers that are no 200.
func statusCuts() []Cut {
	lost := injectFor(func(s Scene) Fault { return Before(s.Sandbox.DropSessions) })
	sessions := func(k *sandbox.MCPKnobs) { k.Sessions = true }
	sessions400 := func(k *sandbox.MCPKnobs) { k.Sessions, k.DroppedIs400 = true, true }
	abroad := injectFor(func(s Scene) Fault { return Redirect(s.Sandbox.ForeignURL()) })
	return []Cut{
		{Name: "401, token expired", Row: "R5", Sure: true, arm: inject(Expired())},
		{Name: "403", Row: "R7", arm: inject(Status(http.StatusForbidden))},
		{Name: "session lost, 404", Row: "R8", Sure: true, fits: legacy, Knobs: sessions, arm: lost},
		{Name: "session lost, 400", Row: "R8", Sure: true, fits: legacy, Knobs: sessions400, arm: lost},
		{Name: "429 with Retry-After", Row: "R9", arm: inject(Limited("1"))},
		{Name: "503 with Retry-After", Row: "R9", arm: inject(Unavailable(time.Second))},
		{Name: "500, not run", Row: "R10", arm: inject(Status(http.StatusInternalServerError))},
		{Name: "500, ran", Row: "R10", Ran: RanYes, arm: inject(AfterRun(http.StatusInternalServerError))},
		{Name: "502, not run", Row: "R10", arm: inject(Status(http.StatusBadGateway))},
		{Name: "504, ran", Row: "R10", Ran: RanYes, arm: inject(AfterRun(http.StatusGatewayTimeout))},
		{Name: "-32020", Row: "R13", Sure: true, fits: modern, arm: inject(RPCError(http.StatusBadRequest, "", -32020, false))},
		{Name: "307 to elsewhere", Row: "R14", arm: abroad},
	}
}

// answerCuts are answers that are lost, cut or wrong.
func answerCuts() []Cut {
	nullError := injectFor(func(s Scene) Fault { return RPCError(http.StatusOK, "null", -32603, s.Shape.SSE) })
	cut := func(f func([]byte, string) []byte) func(context.Context, Scene) (func() int, error) {
		return inject(spoilt(true, f))
	}
	return []Cut{
		{Name: "reset, request read", Row: "R4", arm: inject(Reset())},
		{Name: "silence", Row: "B2", arm: inject(Silence())},
		{Name: "cut before the headers", Row: "R4", Ran: RanYes, arm: inject(LostAnswer())},
		{Name: "cut after the headers", Row: "R4", Ran: RanYes, arm: cut(nothing)},
		{Name: "cut in the body", Row: "R4", Ran: RanYes, arm: cut(half)},
		{Name: "page of a portal, 200", Row: "R10", arm: inject(Portal())},
		{Name: "stream cut after an id", Row: "R11", Ran: RanYes, fits: resumable, Knobs: kept, arm: cut(firstEvent)},
		{Name: "stream cut in an event after an id", Row: "R11", Ran: RanYes, fits: resumable, Knobs: kept, arm: cut(halfEventWithID)},
		{Name: "stream cut after an id, not resumable", Row: "R11 405", Ran: RanYes, fits: resumable, Knobs: rich, arm: cut(firstEvent)},
		{Name: "stream cut without an id", Row: "R12", Ran: RanYes, fits: streams, arm: cut(comment)},
		{Name: "stream ends without an answer", Row: "R12", Ran: RanYes, fits: streams, arm: inject(spoilt(false, comment))},
		{Name: "another id", Row: "R15", Ran: RanYes, arm: inject(spoilt(false, otherID))},
		{Name: "broken JSON", Row: "R15", Ran: RanYes, arm: inject(spoilt(false, broken))},
		{Name: "error with id null", Row: "F4", arm: nullError},
	}
}
