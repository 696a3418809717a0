package redact

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
)

// shape is what secrets look like in a text that other code made. Its pattern is
// compiled when the first text that may hold one comes by.
type shape struct {
	pattern func() *regexp.Regexp
	within  func(s string) bool // cheap: false if s can hold none
}

func lazily(pattern string, within func(s string) bool) shape {
	return shape{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) }), within}
}

// The shapes: an Authorization value, a form or query parameter, one within another
// address, a JSON member, one within a quoted text, a JWT, and a long run of hex
// digits as PayU's tokens are (PAYU P8).
var shapes = sync.OnceValue(func() []shape {
	const names = `access_token|refresh_token|id_token|client_secret|code_verifier|device_code|code|token|password`
	has := func(part string) func(string) bool { return func(s string) bool { return strings.Contains(s, part) } }
	return []shape{
		lazily(`(?i)((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}`, hasScheme),
		lazily(`(?i)(\b(?:`+names+`|state)=)[^&\s"']+`, has("=")),
		lazily(`(?i)((?:\b|%3f|%26)(?:`+names+`|state)%3d)(?:[^&%\s"']|%25)+`, has("%3")),
		lazily(`(?i)("(?:`+names+`)"\s*:\s*")(?:\\.|[^"\\])*`, has(`"`)),
		lazily(`(?i)(\\"(?:`+names+`)\\"\s*:\s*\\")[^"\\]*`, has(`\"`)),
		lazily(`()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`, has("eyJ")),
		lazily(`()[0-9a-fA-F]{40,}`, hasLongHex),
	}
})

// hasScheme looks for the beginning of an Authorization value; s and k are letters
// that a pattern without case finds in other scripts too, so neither is asked for.
func hasScheme(s string) bool {
	s = strings.ToLower(s)
	return strings.Contains(s, "bearer") || strings.Contains(s, "ba")
}

func hasLongHex(s string) bool {
	run := 0
	for i := 0; i < len(s) && run < 40; i++ {
		run++
		if strings.IndexByte("0123456789abcdefABCDEF", s[i]) < 0 {
			run = 0
		}
	}
	return run == 40
}

// Text masks whatever in s looks like a secret, and numbers that may be a card's.
func Text(s string) string { return numbers(secrets(s), false) }

func secrets(s string) string {
	for _, sh := range shapes() {
		if sh.within(s) {
			s = sh.pattern().ReplaceAllString(s, "${1}"+Mark)
		}
	}
	return s
}

// Line is Text for a log: it masks also what looks like the e-mail address or the
// phone number of a customer, which a message to a person may have to repeat.
func Line(s string) string {
	if len(s) < len("a@b.c") { // the shortest of all that is masked, and most of a log is short
		return s
	}
	s = numbers(secrets(s), true)
	if strings.Contains(s, "@") || strings.Contains(s, "%40") {
		s = addresses().ReplaceAllString(s, Mark)
	}
	return s
}

var addresses = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[A-Za-z0-9._%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
})

// NewHandler returns a handler that passes records on to next with every text
// masked as Line does, and without what others wrote in the text of an error: the
// last line of defence behind the Secret type (OAUTH X18).
func NewHandler(next slog.Handler) slog.Handler { return handler{next} }

type handler struct{ next slog.Handler }

func (h handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, Line(r.Message), r.PC)
	masked := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		masked = append(masked, mask(a))
		return true
	})
	out.AddAttrs(masked...)
	if err := h.next.Handle(ctx, out); err != nil {
		return fmt.Errorf("writing a log record: %w", err)
	}
	return nil
}

func (h handler) WithAttrs(as []slog.Attr) slog.Handler {
	masked := make([]slog.Attr, len(as))
	for i, a := range as {
		masked[i] = mask(a)
	}
	return handler{h.next.WithAttrs(masked)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.next.WithGroup(name)} }

func mask(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, Line(v.String()))
	case slog.KindGroup:
		masked := make([]slog.Attr, 0, len(v.Group()))
		for _, g := range v.Group() {
			masked = append(masked, mask(g))
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(masked...)}
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			return slog.String(a.Key, Line(ownWords(err)))
		}
		return slog.String(a.Key, Line(fmt.Sprint(v.Any())))
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindTime, slog.KindUint64, slog.KindLogValuer:
	}
	return slog.Attr{Key: a.Key, Value: v}
}
