package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/translate"
	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/keychain"
	"github.com/payu-mcp/payu-mcp/remote"
)

// shell is what `tools` and `call` have in common.
type shell struct {
	*options

	e      env
	asJSON bool
	limit  time.Duration // 0: none
	screen *screen       // nil: the standard error is no terminal
	person *terminal     // nil: nobody can be asked
}

// newShell binds the options of both commands.
func newShell(e env, o *options, cmd *cobra.Command) *shell {
	s := &shell{options: o, e: e, screen: newScreen(e.stderr)}
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "print what the server answers as JSON, byte for byte, on one line")
	cmd.Flags().DurationVar(&s.limit, "timeout", 0, "how long the server may take in all, such as 90s (default: as long as it shows life)")
	addLoginFlags(cmd.Flags(), &o.login)
	return s
}

// session is one run of the bridge, with a server that has listed its tools.
type session struct {
	*shell

	host *shellHost
	seen *watched
	asks *questions
	list json.RawMessage // the result of tools/list, as the brakes let it be seen
}

// prepare reads the options, as the bridge does.
func (s *shell) prepare(cmd *cobra.Command) error {
	if err := s.resolve(cmd, s.e.getenv); err != nil {
		return err
	}
	if s.limit < 0 {
		return usagef("give --timeout a time such as 90s", "%s is no time to wait", s.limit)
	}
	return s.checkForBridge()
}

// stderr is the standard error, above the line of progress if there is one.
func (s *shell) stderr() io.Writer {
	if s.screen != nil {
		return s.screen
	}
	return s.e.stderr
}

// reported tells a program, too, why there is no result.
func (s *shell) reported(do func() error) error {
	err := do()
	if err != nil && s.asJSON && !errors.Is(err, errSilent) {
		_ = writeFault(s.e.stdout, err) // the standard error has it as well
	}
	return err
}

// run does the work of a command in a session.
func (s *shell) run(cmd *cobra.Command, ask *questions, do func(ctx context.Context, s *session) error) error {
	log, closeLog, err := newLogger(s.options, s.stderr())
	if err != nil {
		return err
	}
	defer closeLog()
	deadline := keychain.BridgeDeadline
	if s.person != nil {
		deadline = keychain.LoginDeadline // they may unlock it
	}
	p, err := wire(s.options, s.e, log, storeUse{keyring: keychain.NewKeyring(nil, deadline)})
	if err != nil {
		return err
	}
	log.Info("a command has started", "command", cmd.Name(), "version", buildinfo.Version(), "profile", s.profile, "endpoint", p.endpoint)
	err = s.signedIn(cmd.Context(), p, ask, do)
	// What is to be stored is stored, also after Ctrl-C.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), closeLimit-relayLimit)
	defer cancel()
	if closing := p.close(ctx); closing != nil {
		// No part of the exit code, which tells a script what became of the call.
		log.Warn("the renewed login could not be stored", slog.Any("error", closing))
	}
	return err
}

// signedIn opens a session and does the work in it. Nothing of the work is done
// before somebody is signed in: a call never waits for a person with the sign-in.
func (s *shell) signedIn(ctx context.Context, p *parts, ask *questions, do func(ctx context.Context, s *session) error) error {
	signed := false
	if err := (&signIns{parts: p, o: s.options}).nobody(); err != nil {
		if err := s.signIn(ctx, p, err); err != nil {
			return err
		}
		signed = true
	}
	work, cancel := s.limited(ctx)
	defer func() { cancel() }()
	session, err := s.start(work, p, ask)
	if !signed && errors.Is(err, errNeedsLogin) {
		if err := s.signIn(ctx, p, err); err != nil {
			return err
		}
		cancel()
		work, cancel = s.limited(ctx)
		session, err = s.start(work, p, ask)
	}
	if err != nil {
		return s.ended(ctx, work, err)
	}
	defer session.host.end()
	return do(work, session)
}

func (s *shell) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.limit)
}

// start runs the bridge and lists the server's tools. The list comes first, also
// for a call: the bridge and its retry rules know then which tools only read.
func (s *shell) start(ctx context.Context, p *parts, ask *questions) (*session, error) {
	r, err := p.remote(p.auth, remote.Limits{})
	if err != nil {
		return nil, err
	}
	seen := watch(r)
	n := &session{shell: s, seen: seen, asks: ask}
	calls, closeJournal := s.journal(p.log)
	if calls != nil {
		calls = watchedJournal{calls, seen}
	}
	n.host = startShellHost(ctx, bridge.Config{
		Remote: translate.New(seen, r.Era, p.log), Era: r.Era, Log: p.log, Patient: true,
		Journal: calls, JournalCommand: s.journalCommand(),
		Policy: s.policy(), Changed: p.changed.note, Catalogue: &savedAnswers{parts: p, login: &signIns{parts: p, o: s.options}},
	}, func(m jsonmsg.Message) { n.hear(ctx, p.log, m) }, closeJournal)
	if err := n.begin(ctx); err != nil {
		n.host.end()
		return nil, n.because(err)
	}
	return n, nil
}

func (n *session) begin(ctx context.Context) error {
	opening, err := n.host.ask(ctx, methodInitialize, jsonmsg.Object(
		jsonmsg.Member{Key: "protocolVersion", Value: jsonmsg.Quote(hostVersions()[0])},
		jsonmsg.Member{Key: "capabilities", Value: n.asks.declared()},
		jsonmsg.Member{Key: "clientInfo", Value: clientInfo()}))
	if err != nil {
		return err
	}
	if opening.IsError {
		return faultIn(opening, n.seen.hasOpened()).asError()
	}
	if err := n.host.notify("notifications/initialized", jsonmsg.Object()); err != nil {
		return err
	}
	list, err := n.host.ask(ctx, methodTools, jsonmsg.Object())
	if err != nil {
		return err
	}
	if list.IsError {
		return faultIn(list, false).asError() // the bridge collects the pages: no error is the server's own
	}
	n.list = jsonmsg.Lookup(list.Raw, "result")
	return nil
}

// because gives a fault the exit code of what it came from, or what helps, where
// that is known better here.
func (n *session) because(err error) error {
	f, ok := errors.AsType[*callError](err)
	if ok && f.Kind == string(remote.KindSignIn) {
		f.Hint = n.signInAdvice()
		return f.asError()
	}
	if ok && f.Kind == string(remote.KindToken) && errors.Is(n.seen.fault(), keychain.ErrUnavailable) {
		return hint.With(kindError{f, keychain.ErrUnavailable}, cmp.Or(hint.Of(n.seen.fault()), f.Hint))
	}
	return err
}

// ended is the error of work that was not finished, before anything was called.
func (s *shell) ended(ctx, work context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case work.Err() != nil && errors.Is(err, work.Err()):
		return s.tooSlow("nothing was sent that changes anything")
	}
	return err
}

// tooSlow is the fault of a server that has not answered within --timeout.
func (s *shell) tooSlow(sent string) error {
	return (&callError{
		Message: fmt.Sprintf("%s: no answer came within %s; %s", remote.SideNetwork, s.limit, sent),
		Kind:    string(remote.KindTimeout), Side: remote.SideNetwork, Hint: "give --timeout more, or repeat the command",
	}).asError()
}

// hear takes what the bridge says unasked. It does not wait for anybody.
func (n *session) hear(ctx context.Context, log *slog.Logger, m jsonmsg.Message) {
	switch {
	case m.Method == "notifications/progress":
		n.screen.progress(progressText(n.asks.tool, jsonmsg.Lookup(m.Raw, "params")))
	case m.Kind == jsonmsg.Request:
		go func() { // ends when the person has answered, or the process does
			reply := n.asks.answer(ctx, m)
			if reply.Key == "" {
				return
			}
			if err := n.host.answer(m.ID, reply); err != nil {
				log.DebugContext(ctx, "an answer was not taken", slog.Any("error", err))
			}
		}()
	}
}

// progressText is what the server says of its progress, on one line.
func progressText(tool string, params json.RawMessage) string {
	var p struct {
		Progress float64 `json:"progress"`
		Total    float64 `json:"total"`
		Message  string  `json:"message"`
	}
	if json.Unmarshal(params, &p) != nil {
		return tool
	}
	text := cmp.Or(p.Message, "at work")
	if p.Total > 0 && p.Progress >= 0 && p.Progress <= p.Total {
		text = fmt.Sprintf("%.0f%% %s", 100*p.Progress/p.Total, text)
	}
	return tool + ": " + text
}
