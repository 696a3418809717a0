package bridge

import (
	"errors"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// maxPause is how long a tool call may have waited for a sign-in and still be
// sent: after that the host may have given up and asked again, and PayU would
// run it twice (RELAY B8).
const maxPause = 20 * time.Second

// maxSignIns is how many sign-ins one call may lead to: one because nobody is
// signed in, and one more because its tool wants more scope than that gave.
const maxSignIns = 2

// call takes a tool call to its answer. Where the server wants a login, it
// begins the sign-in, and is sent afterwards: it has not run.
func (b *bridge) call(f *flight, signInFirst bool) {
	shown, ok := b.resume(f)
	if !ok {
		return
	}
	if !b.answered(f) || b.hopeless(f) {
		return
	}
	signInFirst = signInFirst && b.login != nil // else the server says it
	for signIns := 0; ; signIns++ {
		var err error
		if !signInFirst {
			var ok bool
			if ok, err = b.permit(f); ok {
				err = b.dispatch(f)
			} else if err == nil {
				return
			}
		}
		switch {
		case f.late:
			b.notSent(f)
			return
		case f.unrecorded() != nil:
			b.text(f, textUnrecorded(f.unrecorded()))
			return
		case !signInFirst && (!wantsSignIn(err) || b.login == nil):
			b.fail(f, err)
			return
		case signIns == maxSignIns, signIns > 0 && !isStepUp(err):
			b.text(f, textRefusedAgain(err))
			return
		}
		f.refused()
		if !b.admit(f, shown) {
			return
		}
		signInFirst, shown = false, false // another sign-in has a page of its own
	}
}

// wantsSignIn reports whether a call was turned away for want of a login. One that
// may have run was not, whatever its error says besides.
func wantsSignIn(err error) bool {
	e, ok := errors.AsType[*remote.Error](err)
	return errors.Is(err, remote.ErrSignIn) && (!ok || !e.MayHaveRun)
}

// isStepUp reports whether the server takes the login, but wants it to be for
// more (OAUTH A22).
func isStepUp(err error) bool {
	e, ok := errors.AsType[*remote.Error](err)
	return ok && e.Status == statusForbidden
}

// admit gets somebody to sign in, and reports whether the call may be sent then.
// If not, it has been answered. shown: the host has shown its person the way.
func (b *bridge) admit(f *flight, shown bool) bool {
	if f.since.IsZero() {
		f.since = time.Now()
	}
	f.ended = f.ended || b.state.get() == endedByPayU
	if !b.letIn(f, How{}, shown) {
		return false
	}
	if b.tooLate(f) {
		b.notSent(f)
		return false
	}
	return true
}

// tooLate reports whether a call has waited for too long to be sent. All counts
// since it began to wait: a second sign-in, and the making of the session too.
func (b *bridge) tooLate(f *flight) bool {
	// The name that is judged is the one that is sent.
	return !f.since.IsZero() && waited(f.since) > maxPause && !b.book.readOnly(f.sending().Name)
}

// waited is the time since then, also by the wall clock: the other one stands
// still while the computer sleeps.
func waited(since time.Time) time.Duration {
	return max(time.Since(since), time.Now().Round(0).Sub(since.Round(0)))
}

// notSent answers a call that was kept back.
func (b *bridge) notSent(f *flight) {
	b.waitSettled(f.ctx)
	b.text(f, bad(sentenceNotSent))
}

// text answers a tool call with a result in words, for the model and the person.
// All of them but the good news are errors, so that no model takes them for what
// it asked for.
func (b *bridge) text(f *flight, t notice) {
	if !t.good {
		f.word = endedTold
	}
	if f.ended && t.signIn {
		t.text = sentenceEnded + " " + t.text
	}
	b.giveText(f, t.text, !t.good)
}

// giveText answers a tool call with one text.
func (b *bridge) giveText(f *flight, text string, isError bool) {
	result := jsonmsg.ToolText(text, isError)
	if f.msg.Modern() {
		result = with(result, jsonmsg.Member{Key: "resultType", Value: jsonmsg.Quote("complete")})
	}
	b.give(f, result)
}
