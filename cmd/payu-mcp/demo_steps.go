package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

type demoStep struct {
	title string
	run   func(*demo, context.Context) error
}

func demoSteps() []demoStep {
	return []demoStep{
		{"A host starts the bridge. Nobody is signed in, so its first call leads to the sign-in", (*demo).signIn},
		{"The host lists the tools", (*demo).listTools},
		{"It lists the merchant accounts", (*demo).listAccounts},
		{"It asks for a report, but no account is selected", (*demo).reportTooEarly},
		{"It selects an account", (*demo).switchAccount},
		{"It asks for the report again", (*demo).createReport},
		{"The access token expires; the next call renews it quietly", (*demo).expire},
		{"The host quits and starts the bridge again; no sign-in is needed", (*demo).restart},
		{"The merchant revokes the access in the dashboard; the next call signs in again", (*demo).revoke},
		{"The merchant signs out", (*demo).signOut},
	}
}

// start runs the bridge and does the handshake of a host.
func (d *demo) start(ctx context.Context) error {
	h, err := startHost(ctx, d.command(ctx, "--url", d.sandbox.Endpoint(), "--store=file"))
	if err != nil {
		return err
	}
	d.host = h
	a, err := h.ask(ctx, "initialize", map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "demo-host", "version": "1"},
	})
	if err != nil {
		return err
	}
	d.sayf("the host is connected to %s", a.Result.ServerInfo.Name)
	return h.notify("notifications/initialized")
}

func (d *demo) signIn(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	if err := d.signedInTimes(0); err != nil {
		return err
	}
	if err := d.call(ctx, "health_check", nil, "running"); err != nil {
		return err
	}
	if err := d.signedInTimes(1); err != nil {
		return err
	}
	d.sayf("stored: the credential, encrypted, in one file of the state folder")
	return nil
}

func (d *demo) listTools(ctx context.Context) error {
	a, err := d.host.ask(ctx, "tools/list", map[string]any{})
	if err != nil {
		return err
	}
	var names []string
	for _, t := range a.Result.Tools {
		names = append(names, t.Name)
	}
	d.sayf("%d tools: %s, ...", len(names), strings.Join(names[:min(3, len(names))], ", "))
	return expect(len(names) == 13, "the list should have 13 tools")
}

// call calls a tool, shows the first line of its answer and checks it.
func (d *demo) call(ctx context.Context, name string, args map[string]any, want string) error {
	a, err := d.host.ask(ctx, "tools/call", map[string]any{"name": name, "arguments": args})
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(a.text(), "\n")
	d.sayf("%s: %s", name, first)
	return expect(strings.Contains(a.text(), want), fmt.Sprintf("the answer should say %q", want))
}

func (d *demo) listAccounts(ctx context.Context) error {
	return d.call(ctx, "list_available_team_accounts", nil, "180045")
}

func (d *demo) report(ctx context.Context, want string) error {
	return d.call(ctx, "reporting_createReport", map[string]any{
		"service": "transactions",
		"filters": map[string]any{"dateFrom": "2026-01-01 00:00:00", "dateTo": "2026-01-31 23:59:59"},
	}, want)
}

func (d *demo) reportTooEarly(ctx context.Context) error {
	return d.report(ctx, "Merchant selection required")
}

func (d *demo) switchAccount(ctx context.Context) error {
	return d.call(ctx, "switch_team_account", map[string]any{"identifier": "180045"}, "180045")
}

func (d *demo) createReport(ctx context.Context) error { return d.report(ctx, "RPT-") }

func (d *demo) expire(ctx context.Context) error {
	// From here on tokens live long again: one expiry is enough.
	d.sandbox.SetAccessTokenLife(time.Hour)
	d.sayf("waiting %s", demoTokenLife)
	select {
	case <-time.After(demoTokenLife):
	case <-ctx.Done():
		return ctx.Err()
	}
	before := d.count(sandbox.Query{Grant: "refresh_token"})
	if err := d.call(ctx, "get_current_team_account", nil, "180045"); err != nil {
		return err
	}
	if err := expect(d.count(sandbox.Query{Grant: "refresh_token"}) == before+1, "there should be one refresh"); err != nil {
		return err
	}
	d.sayf("stored: the new tokens, before the first use")
	return d.signedInTimes(1)
}

func (d *demo) restart(ctx context.Context) error {
	if err := d.quit(); err != nil {
		return err
	}
	if err := d.start(ctx); err != nil {
		return err
	}
	if err := d.call(ctx, "health_check", nil, ""); err != nil {
		return err
	}
	return d.signedInTimes(1)
}

func (d *demo) revoke(ctx context.Context) error {
	d.sandbox.RevokeFromDashboard("B")
	if err := d.call(ctx, "list_available_team_accounts", nil, "180045"); err != nil {
		return err
	}
	if n := d.count(sandbox.Query{Path: registerPath, Status: 201}); n != 1 {
		return fmt.Errorf("the client was registered %d times, not once", n)
	}
	return d.signedInTimes(2)
}

func (d *demo) signOut(ctx context.Context) error {
	if err := d.quit(); err != nil {
		return err
	}
	cmd := d.command(ctx, "logout")
	cmd.Stdout = indented{d.out}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("logout: %w", err)
	}
	status := d.command(ctx, "status", "--url", d.sandbox.Endpoint())
	if err := status.Run(); status.ProcessState == nil || status.ProcessState.ExitCode() != exitSignedOut {
		return errors.Join(errors.New("status should say that nobody is signed in"), err)
	}
	return expect(d.count(sandbox.Query{Path: revokePath, Status: 200}) > 0, "the server should have been told")
}

func (d *demo) quit() error {
	h := d.host
	d.host = nil
	return h.stop()
}

// signedInTimes checks how many codes were exchanged so far.
func (d *demo) signedInTimes(want int) error {
	got := d.count(sandbox.Query{Grant: "authorization_code", Status: 200})
	return expect(got == want, fmt.Sprintf("somebody should have signed in %d times, not %d", want, got))
}

func (d *demo) count(q sandbox.Query) int { return d.sandbox.Log().Count(q) }

func expect(ok bool, otherwise string) error {
	if ok {
		return nil
	}
	return errors.New(otherwise)
}
