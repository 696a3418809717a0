package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"payu-mcp": main, "noisy-browser": noisyBrowser, "lasting-browser": lastingBrowser, "open-and-die": openAndDie,
	})
}

// noisyBrowser is an opener with bad manners: `noisy-browser FOLDER URL`. It
// writes what it was given into a file, prints, and then signs in.
func noisyBrowser() {
	seen := strings.Join(os.Args, "\n") + "\n" + strings.Join(os.Environ(), "\n")
	if err := os.WriteFile(filepath.Join(os.Args[1], "opener.txt"), []byte(seen), 0o600); err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("[1234:5678:ERROR] a browser says hello\n")
	_, _ = os.Stderr.WriteString("[1234:5678:ERROR] and once more\n")
	if _, err := (sandbox.Visitor{}).Visit(context.Background(), os.Args[2]); err != nil { // a process of its own
		os.Exit(1)
	}
}

type (
	sandboxKey  struct{}
	injectorKey struct{}
)

// TestScripts runs the real main against a sandbox, one file per story.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scripts("script"))
}

// scripts are those of one folder of testdata.
func scripts(folder string) testscript.Params {
	return testscript.Params{
		Dir:                 filepath.Join("testdata", folder),
		RequireExplicitExec: true,
		Setup:               setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sandbox":  scriptSandbox,
			"exits":    scriptExits,
			"requests": scriptRequests,
			"executed": scriptExecuted,
			"nosecret": scriptNoSecret,
			"jsonrpc":  scriptJSONRPC,
			"truncate": scriptTruncate,
		},
	}
}

func setupScript(e *testscript.Env) error {
	// testscript gives a script no context of its own.
	in := &fault.Injector{}
	sb, err := sandbox.Start(context.Background(), sandbox.Options{Wrap: in.Wrap})
	if err != nil {
		return err
	}
	e.Defer(func() { _ = sb.Close() })
	e.Values[sandboxKey{}], e.Values[injectorKey{}] = sb, in
	e.Setenv("URL", sb.Endpoint())
	e.Setenv("HOME", e.WorkDir)
	e.Setenv("USERPROFILE", e.WorkDir)
	e.Setenv("STATE", ownStateDir(e.WorkDir))
	e.Setenv("PAYU_MCP_STORE", "file")
	e.Setenv("PAYU_MCP_BROWSER", "payu-mcp demo-browser")
	return nil
}

// scriptExits runs a program that must end with a code: `exits 3 payu-mcp status`.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	}
	if args[0] != strconv.Itoa(code) {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// shopSecret is that of the client that `sandbox client shop` knows.
const shopSecret = "the-secret-of-a-shop-0123456789"

func sandboxOf(ts *testscript.TestScript) *sandbox.Sandbox {
	sb, ok := ts.Value(sandboxKey{}).(*sandbox.Sandbox)
	if !ok {
		ts.Fatalf("no sandbox")
	}
	return sb
}

// unsupportedToken answers as a server whose access tokens it cannot take back.
func unsupportedToken(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write([]byte(`{"error":"unsupported_token_type"}`))
}

func injectorOf(ts *testscript.TestScript) *fault.Injector {
	in, ok := ts.Value(injectorKey{}).(*fault.Injector)
	if !ok {
		ts.Fatalf("no injector")
	}
	return in
}

// scriptSandbox turns a knob: `sandbox revoke B`.
func scriptSandbox(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sandbox KNOB [VALUE]")
	}
	sb := sandboxOf(ts)
	switch strings.Join(args, " ") {
	case "revoke B":
		sb.RevokeFromDashboard("B")
	case "expire":
		sb.ExpireAccessTokens()
	case "metadata html":
		sb.SetMetadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerHTML})
	case "metadata missing":
		sb.SetMetadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound})
	case "metadata plain":
		sb.SetMetadata(sandbox.MetadataKnobs{PKCE: sandbox.PKCEPlain})
	case "metadata no-registration":
		sb.SetMetadata(sandbox.MetadataKnobs{NoRegistration: true})
	case "metadata no-revocation":
		sb.SetMetadata(sandbox.MetadataKnobs{Members: map[string]any{"revocation_endpoint": nil}})
	case "metadata documented":
		sb.SetMetadata(sandbox.MetadataKnobs{})
	case "revocation fails":
		injectorOf(ts).Add(sandbox.RoleAccounts, "/oauth/revoke", 2, fault.Status(http.StatusInternalServerError))
	case "second revocation fails":
		injectorOf(ts).Add(sandbox.RoleAccounts, "/oauth/revoke", 1, fault.Before(func() {}))
		injectorOf(ts).Add(sandbox.RoleAccounts, "/oauth/revoke", 1, fault.Status(http.StatusInternalServerError))
	case "second revocation unsupported":
		injectorOf(ts).Add(sandbox.RoleAccounts, "/oauth/revoke", 1, fault.Before(func() {}))
		injectorOf(ts).Add(sandbox.RoleAccounts, "/oauth/revoke", 1, unsupportedToken)
	case "close":
		ts.Check(sb.Close())
	case "code allowed", "code denied", "code too late":
		sb.Change(func(k *sandbox.Knobs) { scriptCode(k, args[1]) })
	case "era modern":
		sb.SetMCP(sandbox.MCPKnobs{Era: sandbox.EraModern})
	case "lists refused":
		injectorOf(ts).AddIf(func(r fault.Request) bool { return r.RPC == "tools/list" }, -1, fault.Status(http.StatusForbidden))
	case "answers lost":
		injectorOf(ts).AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1, fault.LostAnswer())
	case "client shop":
		sb.AddClient(sandbox.Client{ID: "shop", Secret: shopSecret, AuthMethod: "client_secret_basic", RedirectURIs: []string{"http://127.0.0.1/callback"}})
		sb.Change(func(k *sandbox.Knobs) { k.Client.Redirect = sandbox.RedirectAnyPort })
	case "tokens short":
		sb.SetAccessTokenLife(time.Second)
	case "tokens long":
		sb.SetAccessTokenLife(time.Hour)
	default:
		ts.Fatalf("unknown knob %q", args)
	}
}

// scriptCode offers a sign-in by code and lets a person decide at once.
func scriptCode(k *sandbox.Knobs, outcome string) {
	k.Device = sandbox.DeviceKnobs{Offered: true, Pause: time.Second}
	switch outcome {
	case "allowed":
		k.Login.Headless = "B"
	case "denied":
		k.Login.Headless = "C" // not enabled for MCP
	case "too":
		k.Login.Headless, k.Device.Life, k.Device.NoLink = "", time.Second, true
	}
}

// scriptRequests checks a count: `requests 1 /oauth/token refresh_token`.
func scriptRequests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: requests COUNT PATH|METHOD [GRANT|RPC]")
	}
	q := sandbox.Query{}
	if strings.HasPrefix(args[1], "/") {
		q.Path = args[1]
	} else {
		q.Method = args[1]
	}
	if len(args) == 3 && q.Path == "/oauth/token" {
		q.Grant = args[2]
	} else if len(args) == 3 {
		q.RPC = args[2]
	}
	var want int
	ts.Check(json.Unmarshal([]byte(args[0]), &want))
	if got := sandboxOf(ts).Log().Count(q); got != want {
		ts.Fatalf("%d requests %v, want %d", got, args[1:], want)
	}
}

// scriptExecuted checks how often a tool has run: `executed 1 NAME [INVOICE]`.
func scriptExecuted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: executed COUNT TOOL [INVOICE]")
	}
	var want int
	ts.Check(json.Unmarshal([]byte(args[0]), &want))
	invoice := strings.Join(args[2:], "")
	if got := sandboxOf(ts).Executions(args[1], invoice); got != want {
		ts.Fatalf("%s ran %d times, want %d", args[1], got, want)
	}
}

// scriptNoSecret searches the last outputs and every file but the sealed one for
// secrets of the sandbox.
func scriptNoSecret(ts *testscript.TestScript, _ bool, _ []string) {
	outputs := map[string]string{"stdout": ts.ReadFile("stdout"), "stderr": ts.ReadFile("stderr")}
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var b []byte
			b, err = os.ReadFile(path)
			outputs[path] = string(b)
		}
		return err
	}))
	for name, text := range outputs {
		for _, secret := range sandboxOf(ts).Secrets() {
			if strings.Contains(text, secret) {
				ts.Fatalf("%s holds a secret", name)
			}
		}
	}
}

// scriptJSONRPC checks that every line of standard output is a message.
func scriptJSONRPC(ts *testscript.TestScript, _ bool, _ []string) {
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var m struct{ JSONRPC string }
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.JSONRPC != "2.0" {
			ts.Fatalf("no message on standard output: %s", line)
		}
	}
}

// scriptTruncate cuts the sealed file in half, as a full disk would.
func scriptTruncate(ts *testscript.TestScript, _ bool, _ []string) {
	files, err := filepath.Glob(filepath.Join(ts.Getenv("STATE"), "credential-*.json"))
	ts.Check(err)
	if len(files) != 1 {
		ts.Fatalf("%d sealed files", len(files))
	}
	info, err := os.Stat(files[0])
	ts.Check(err)
	ts.Check(os.Truncate(files[0], info.Size()/2))
}

// ownStateDir is the state folder of a person with that home.
func ownStateDir(home string) string {
	return filepath.FromSlash(strings.NewReplacer("~", home, "%USERPROFILE%", home).Replace(displayStateDir()))
}
