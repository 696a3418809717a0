package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/keychain"
	"github.com/payu-mcp/payu-mcp/remote"
)

// login looks at what is stored, and uses it once for `initialize`. It may be
// renewed by that, as by any request; nobody is asked to sign in.
func (d *doctor) login(ctx context.Context) diagnose.Findings {
	keyed, reached := await(ctx, d.keyed), await(ctx, d.reached)
	sum, err := peekSummary(d.o, d.p.endpoint)
	if err != nil {
		return diagnose.Found(faultOf("login", diagnose.Here, err))
	}
	if sum == nil || !sum.SignedIn {
		return diagnose.Found(signedOutLine(d.p.endpoint, sum))
	}
	if !keyed {
		return diagnose.Found(fine("login", diagnose.Here, "there is one, which cannot be opened without the keychain"))
	}
	if _, err := d.p.store.Load(ctx); err != nil {
		return diagnose.Found(faultOf("login", diagnose.Here, err))
	}
	if !reached {
		return diagnose.Found(signedInLines(sum)...)
	}
	line, err := d.initialize(ctx)
	if errors.Is(err, remote.ErrSignIn) {
		return diagnose.Found(refusedLine(d.p.endpoint))
	}
	if now, err := peekSummary(d.o, d.p.endpoint); err == nil && now != nil {
		sum = now // it may have been renewed
	}
	return diagnose.Found(append(signedInLines(sum), line)...)
}

// await gets another check's word; false when there is none in time.
func await(ctx context.Context, word <-chan bool) bool {
	select {
	case yes := <-word:
		return yes
	case <-ctx.Done():
		return false
	}
}

// signedOutLine tells never from not any more.
func signedOutLine(endpoint string, sum *auth.Summary) diagnose.Line {
	if auth.StandingOf(endpoint, sum) == auth.StandingEnded {
		return refusedLine(endpoint)
	}
	l := diagnose.Line{
		ID: "login", Result: diagnose.Warning, Side: diagnose.Here, Text: "nobody is signed in",
		Next: "run payu-mcp login, or let the first call of an assistant open the sign-in",
	}
	if sum != nil && sum.LastRefresh.Result != "" && sum.LastRefresh.Result != "ok" {
		l.Text += ": " + sum.LastRefresh.Result
	}
	return l
}

// refusedLine is a login that the server does not take any more.
func refusedLine(endpoint string) diagnose.Line {
	l := diagnose.Line{
		ID: "login", Result: diagnose.Fault, Side: diagnose.PayU, Text: "signed out: the server has ended the login, or somebody has revoked it there",
		Next: "sign in again: payu-mcp login",
	}
	if endpoint == auth.PayUEndpoint {
		l.Next += ". PayU's dashboard lists what may be revoked: Security Settings, Connected Applications"
	}
	return l
}

// signedInLines tell of a login without saying whose it is.
func signedInLines(sum *auth.Summary) []diagnose.Line {
	text := "signed in since " + sum.SignedInAt.UTC().Format(time.DateTime) + " UTC"
	if !sum.Expiry.IsZero() {
		text += ", the token is good until " + sum.Expiry.UTC().Format(time.DateTime) + " UTC"
	}
	if len(sum.Scopes) > 0 {
		text += ", scopes " + strings.Join(sum.Scopes, " ")
	}
	lines := []diagnose.Line{fine("login", diagnose.Here, text)}
	r := sum.LastRefresh
	at := r.At.UTC().Format(time.DateTime) + " UTC"
	switch {
	case r.Result == "" && sum.Refreshable:
		return append(lines, fine("refresh", diagnose.PayU, "none was needed yet"))
	case r.Result == "":
		return append(lines, fine("refresh", diagnose.PayU, "there is no refresh token: at the end of the token somebody has to sign in"))
	case r.Result == "ok":
		return append(lines, fine("refresh", diagnose.PayU, "the last one, at "+at+", went well"))
	}
	return append(lines, diagnose.Line{
		ID: "refresh", Result: diagnose.Warning, Side: diagnose.PayU, Text: "the last one, at " + at + ", failed: " + r.Result,
		Next: "it is tried again by itself; if it stays so, sign in again with payu-mcp login",
	})
}

// initialize greets the endpoint as a host would. The error is the remote's, when
// the endpoint did not answer.
func (d *doctor) initialize(ctx context.Context) (diagnose.Line, error) {
	begun := time.Now()
	l := fine("remote", diagnose.PayU, "")
	err := d.p.greet(ctx, d.p.auth, func(r *remote.Client, version string, opening json.RawMessage) {
		l.Took = diagnose.Took(time.Since(begun))
		l.Text = fmt.Sprintf("%s answers in protocol version %s (%s)", serverName(opening), version, r.Era())
	})
	switch e, _ := errors.AsType[*remote.Error](err); {
	case e != nil:
		l = diagnose.Line{
			ID: "remote", Result: diagnose.Fault, Side: diagnose.Side(e.Side()),
			Text: oneLine(strings.TrimPrefix(e.Error(), e.Side()+": ")), Next: hint.Of(e),
		}
		fill(&l.Next, "run payu-mcp doctor again")
	case err != nil:
		l = faultOf("remote", diagnose.Here, err)
	case l.Text == "":
		l.Result, l.Text = diagnose.Warning, "it answers, and refuses initialize in every version that this program knows"
		l.Next = "update payu-mcp. " + auth.Contact(d.p.endpoint)
	}
	if errors.Is(err, keychain.ErrUnavailable) {
		l.Side = diagnose.Here
	}
	return l, err
}

// serverName is the name that a server has given itself.
func serverName(opening json.RawMessage) string {
	name := jsonmsg.Text(jsonmsg.Lookup(opening, "serverInfo", "name"))
	fill(&name, "the server")
	return name
}
