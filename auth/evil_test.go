package auth_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// withMember is metadata with one member replaced.
func withMember(name string, v any) sandbox.MetadataKnobs {
	return sandbox.MetadataKnobs{Members: map[string]any{name: v}}
}

// Whatever an authorization server calls its authorization endpoint: neither the
// browser nor the person gets an address that is none.
//
//oauth:row X1 auth/url.go "case u.Scheme != \"https\" && u.Scheme != \"http\":" => "case u.Scheme == \"\":"
//oauth:row A32 auth/url.go "case u.Scheme != \"https\" && u.Scheme != \"http\":" => "case u.Scheme == \"\":"
//oauth:row X1 auth/url.go "case u.User != nil:" => "case false:"
//oauth:row X1 auth/url.go "case strings.ContainsFunc(raw, notInURL):" => "case false:"
//oauth:row X1 auth/url.go "case !plainHost(u.Hostname()):" => "case false:"
func TestSignIn_evilAuthorizationEndpoint_nothingIsOpenedOrShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	evil := append(fault.EvilURLs(), fault.PrivateURLs()...)
	if len(evil) < 100 {
		t.Fatalf("only %d URLs", len(evil))
	}
	_ = w.meet401(w.client, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen []string
	note := func(url string) { seen = append(seen, url); cancel() } // nobody waits for a person who is sent there
	record := auth.Prompt{
		Anew: true,
		Open: func(_ context.Context, url string) error { note(url); return nil },
		Show: func(url string, _ error) { note(url) },
	}
	for _, raw := range evil {
		w.sb.SetMetadata(withMember("authorization_endpoint", raw))
		_, err := w.client.SignIn(ctx, record)
		if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "authorization endpoint") || hint.Of(err) == "" {
			t.Fatalf("%.80q: %v, hint %q", raw, err, hint.Of(err))
		}
		if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%.80q: the error repeats it: %q", raw, err)
		}
	}
	if len(seen) > 0 {
		t.Errorf("opened or shown: %.200q", seen)
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 0)
}

// The last look before a program of the system gets an address, on both sides of
// the detached child.
//
//oauth:row X1 auth/browser.go "return \"\", fmt.Errorf(\"opening the browser: %w\", err)" => "return raw, nil"
//oauth:row A32 auth/browser.go "return \"\", fmt.Errorf(\"opening the browser: %w\", err)" => "return raw, nil"
func TestOpen_evilURL_noProgramIsCalled(t *testing.T) {
	t.Parallel()
	called := filepath.Join(t.TempDir(), "called")
	script := recorder(t, called)
	for _, raw := range fault.EvilURLs() {
		if strings.Contains(raw, "\x00") {
			continue // no argument can hold it
		}
		if err := auth.OpenHere(t.Context(), raw, openerEnv(script)); err == nil {
			t.Errorf("OpenHere(%.80q) is content", raw)
		}
		child := auth.Opener{Command: []string{script}, Getenv: openerEnv(script)}
		if err := child.Open(t.Context(), raw); err == nil {
			t.Errorf("Open(%.80q) is content", raw)
		}
		if b, err := os.ReadFile(called); err == nil {
			t.Fatalf("an opener was called with %.200q", b)
		}
	}
}

// What is lawful reaches the opener as one argument, whatever a shell would make
// of it.
//
//oauth:row X2 auth/browser.go "exec.Command(own[0], append(own[1:], url)...)" => "exec.Command(\"sh\", \"-c\", strings.Join(own, \" \")+\" \"+url)"
func TestOpenHere_nastyURL_oneArgumentAndNoShell(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the opener of this test is a script for a Unix shell, and the paths in its URLs are Unix's")
	}
	dir := t.TempDir()
	canary := filepath.Join(dir, "canary")
	for _, nasty := range fault.NastyURLs("HTTPS://accounts.example/authorize", canary) {
		called := filepath.Join(t.TempDir(), "called")
		if err := auth.OpenHere(t.Context(), nasty, openerEnv(recorder(t, called))); err != nil {
			t.Errorf("%q: %v", nasty, err)
		}
		want := "https" + strings.TrimPrefix(nasty, "HTTPS") + "\n"
		if b, err := os.ReadFile(called); err != nil || string(b) != want {
			t.Errorf("the opener got %q (%v), want %q", b, err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("a shell has run: %q", left)
	}
}

// recorder is an opener that writes its arguments down, one a line.
func recorder(t *testing.T, file string) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "opener")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nfor a; do printf '%s\\n' \"$a\"; done >>'"+file+"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return script
}

func openerEnv(script string) func(string) string {
	return func(name string) string {
		if name == auth.OpenerEnv {
			return script
		}
		return ""
	}
}
