package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// record is an opener that opens nothing: it writes all its arguments down, as
// one line of JSON.
func record(args []string) int {
	f, err := os.OpenFile(args[0], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	defer f.Close()
	if json.NewEncoder(f).Encode(args[1:]) != nil {
		return 1
	}
	return 0
}

// recordAndVisit is one whose person then signs in.
func recordAndVisit(args []string) int { return record(args) + visit(args[1:]) }

// recorder is where the arguments of openers go.
func (w *world) recorder(actor string) (opened func() [][]string) {
	file := w.path("logs", "arguments")
	w.actor(actor, file)
	return func() [][]string {
		data, _ := os.ReadFile(file)
		var all [][]string
		for line := range strings.Lines(string(data)) {
			var args []string
			if json.Unmarshal([]byte(line), &args) == nil {
				all = append(all, args)
			}
		}
		return all
	}
}

// An authorization server names an evil authorization endpoint: the program ends
// with a message of its own, and nothing is opened. A bridge tells its host.
//
//oauth:row X1 auth/url.go "case u.Scheme != \"https\" && u.Scheme != \"http\":" => "case u.Scheme == \"\":"
func TestEvil_authorizationEndpoint_nothingIsOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	opened := w.recorder("record")
	for _, raw := range fault.EvilURLs() {
		sb.SetMetadata(sandbox.MetadataKnobs{Members: map[string]any{"authorization_endpoint": raw}})
		w.fails(w.payu("login", "--url", sb.Endpoint(), "--store=file", "--time-limit=5s"), exitServer, "authorization endpoint")
		if len(opened()) > 0 {
			t.Fatalf("%.100q: opened %.300q", raw, opened())
		}
	}
	h := w.startHost("--url", sb.Endpoint(), "--store=file")
	h.initialize()
	for _, raw := range fault.EvilURLs()[:3] {
		sb.SetMetadata(sandbox.MetadataKnobs{Members: map[string]any{"authorization_endpoint": raw}})
		m := h.ask("tools/call", healthCheck())
		if text := string(m.Error) + string(m.Result); !strings.Contains(text, "authorization endpoint is not safe") {
			t.Errorf("%.100q: the host is told %s", raw, text)
		}
	}
	h.end()
	if len(opened()) > 0 {
		t.Errorf("opened %.300q", opened())
	}
	w.nothingLeft()
}

// A lawful endpoint with all that a shell would run: the opener gets one
// argument, our start page; the browser is then sent to the endpoint as it is.
//
//oauth:row X2 auth/attempt.go "if a.Bound {" => "if false {"
func TestEvil_nastyEndpoint_openerGetsOneArgument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	canary := w.path("tmp", "canary")
	opened := w.recorder("record-visit")
	for n, nasty := range fault.NastyURLs(sb.AccountsOrigin()+"/oauth/authorize", canary) {
		sb.SetMetadata(sandbox.MetadataKnobs{Members: map[string]any{"authorization_endpoint": nasty}})
		w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
		args := opened()
		if len(args) != n+1 || len(args[n]) != 1 || !strings.HasPrefix(args[n][0], "http://127.0.0.1:") || strings.ContainsAny(args[n][0], "?$`;&'%") {
			t.Fatalf("%s: the opener got %q", nasty, args[n:])
		}
		at, err := url.Parse(nasty)
		if err != nil {
			t.Fatal(err)
		}
		asked := sb.Log().Find(sandbox.Query{Path: at.Path})
		for name, want := range at.Query() {
			if last := asked[len(asked)-1]; !slices.Equal(last.Form[name], want) {
				t.Errorf("%s: the browser came with %s = %q", nasty, name, last.Form[name])
			}
		}
	}
	if left, _ := filepath.Glob(w.path("tmp", "*canary*")); len(left) > 0 {
		t.Errorf("a shell has run: %q", left)
	}
}

// The detached child is given such an address itself, as by somebody who has
// found a way to it: with PAYU_MCP_BROWSER, and with the desktop's own opener.
//
//oauth:row X2 auth/browser.go "exec.Command(own[0], append(own[1:], url)...)" => "exec.Command(\"sh\", \"-c\", strings.Join(own, \" \")+\" \"+url)"
func TestEvil_childWithNastyURL_noShellRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	canary := w.path("tmp", "canary")
	nasty := fault.NastyURLs("https://accounts.example/authorize", canary)
	opened := w.recorder("record")
	for _, raw := range nasty {
		if out, err := w.openURL(raw); err != nil {
			t.Errorf("%s: %v: %s", raw, err, out)
		}
	}
	if got := slices.Concat(opened()...); !slices.Equal(got, nasty) {
		t.Errorf("the opener got %q, want %q", got, nasty)
	}
	for _, raw := range fault.EvilURLs() {
		if out, err := w.openURL(raw); err == nil {
			t.Errorf("%.100q was opened: %s", raw, out)
		}
	}
	if n := len(opened()); n != len(nasty) {
		t.Errorf("%d calls of the opener, want %d", n, len(nasty))
	}
	w.viaDesktop(nasty)
	if left, _ := filepath.Glob(w.path("tmp", "*canary*")); len(left) > 0 {
		t.Errorf("a shell has run: %q", left)
	}
}

// openURL is the hidden command with the address on its standard input.
func (w *world) openURL(address string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "open-url")
	cmd.Env, cmd.Stdin = w.env, strings.NewReader(address)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// viaDesktop opens addresses with xdg-open, which is a shell script, and a
// browser that writes down what it gets.
func (w *world) viaDesktop(addresses []string) {
	w.t.Helper()
	got := w.path("logs", "browser")
	script := w.path("browser.sh")
	text := "#!/bin/sh\nfor a; do printf '%s\\n' \"$a\"; done >>'" + got + "'\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.setenv("PAYU_MCP_BROWSER", "")
	w.setenv("BROWSER", script)
	for _, raw := range addresses {
		if out, err := w.openURL(raw); err != nil {
			w.t.Errorf("%s with xdg-open: %v: %s", raw, err, out)
		}
	}
	w.eventually("the browser has them all", commandLimit, func() bool {
		data, _ := os.ReadFile(got)
		return strings.Count(string(data), "\n") >= len(addresses)
	})
	if data, _ := os.ReadFile(got); string(data) != strings.Join(addresses, "\n")+"\n" {
		w.t.Errorf("the browser of xdg-open got %q", data)
	}
}

// inward is a listener of this computer that must be left alone, and the names
// by which a server might lead there.
func inward(t *testing.T) (origins []string, seen func() int) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	came := make(chan struct{}, 1000)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came <- struct{}{}
			_ = c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	hosts := []string{"0.0.0.0", "[::]", "[::ffff:0.0.0.0]", "0.1.2.3", "169.254.169.254", "x.localhost", "[64:ff9b::7f00:1]"}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsPrivate() && n.IP.To4() != nil {
			hosts = append(hosts, n.IP.String())
		}
	}
	for _, h := range hosts {
		origins = append(origins, "https://"+h+":"+port)
	}
	return origins, func() int { return len(came) }
}

// A server sends the program to places behind this computer, in each document
// and for each endpoint: nobody there sees a connection.
//
//oauth:row X3 auth/server_meta.go "return u, Reach(c.cfg.Resource, c.cfg.ServerMetadataURL).CheckHost(u.Hostname())" => "return u, nil"
func TestEvil_privateAddresses_nobodyIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := w.recorder("record")
	challenge := ""
	sb := startSandbox(t, sandbox.Options{Wrap: func(role sandbox.Role, next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if challenge != "" && role == sandbox.RoleResource && r.URL.Path == "/mcp" {
				rw.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+challenge+`"`)
				rw.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(rw, r)
		})
	}})
	origins, seen := inward(t)
	login := func(says string) {
		t.Helper()
		w.fails(w.payu("login", "--url", sb.Endpoint(), "--store=file", "--time-limit=5s"), exitServer, says)
	}
	for _, origin := range origins {
		for _, member := range []string{"authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint", "device_authorization_endpoint"} {
			sb.SetMetadata(sandbox.MetadataKnobs{Members: map[string]any{
				member: origin + "/x", "grant_types_supported": []string{"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"},
			}})
			login("is not a public address")
		}
		sb.SetMetadata(sandbox.MetadataKnobs{})
		sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{origin}})
		login("is not a public address")
		sb.SetResourceMetadata(sandbox.ResourceKnobs{})
		challenge = origin + "/.well-known/oauth-protected-resource"
		login("is not a public address")
		challenge = ""
	}
	if n := seen(); n != 0 || len(opened()) != 0 {
		t.Errorf("the listener saw %d connections, opened %q", n, opened())
	}
}
