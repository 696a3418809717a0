package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// ask prints the status of an address, and whether a cookie came with it.
func ask(args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], http.NoBody)
	if err != nil {
		return 1
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 1
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	_, err = fmt.Fprintf(os.Stdout, "%d, cookies %d, to %q", res.StatusCode, len(res.Cookies()), res.Header.Get("Location"))
	if err != nil {
		return 1
	}
	return 0
}

// beaten is an opener whose argument list another user reads: that one asks
// for the address before the browser does, and a second browser of the person
// after it. Arguments: the file for what they got, the other user, the address.
func beaten(args []string) int {
	uid, err := strconv.ParseUint(args[1], 10, 32)
	if err != nil {
		return 1
	}
	got := map[string]string{}
	root, _, _ := strings.Cut(args[2], "/start/")
	for name, address := range map[string]string{"start": args[2], "callback": root + "/callback?code=x&state=x", "done": root + "/done"} {
		// Not by its name: the other user may not see the folder that it is in.
		cmd := exec.CommandContext(context.Background(), "/proc/self/exe", "ask", address)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
		cmd.Dir = "/"
		out, err := cmd.Output()
		if err != nil {
			return 1
		}
		got[name] = string(out)
	}
	code := visit(args[2:])
	data, err := json.Marshal(got)
	if err != nil || os.WriteFile(args[0], data, 0o600) != nil {
		return 1
	}
	return code
}

// Another user of the computer reads the address in the opener's argument list,
// where no state is, and is faster than the browser: that one gets nothing, and
// the person signs in.
//
//oauth:row X9 auth/loopback/handler.go "case peer == PeerStranger:" => "case false:"
//oauth:row X9 auth/attempt.go "if a.Bound {" => "if !a.Bound {"
func TestSignIn_anotherUserOvertakesTheBrowser_refusedAndPersonSignsIn(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can be two users")
	}
	const nobody = "65534"
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	file := w.path("logs", "overtaken.json")
	w.actor("beaten", file, nobody)
	r := w.payu("login", "--url", sb.Endpoint(), "--store=file", "--time-limit", "20s")
	argv := string(w.watch.sinks()["argv of a process"])
	if !strings.Contains(argv, "/start/") || strings.Contains(argv, "code_challenge=") || strings.Contains(argv, "redirect_uri=") {
		t.Errorf("argument lists: %q", argv)
	}
	w.must(r, 0)
	w.eventually("the browser ends", commandLimit, func() bool { _, err := os.Stat(file); return err == nil })
	data, err := os.ReadFile(file)
	got := map[string]string{}
	if err != nil || json.Unmarshal(data, &got) != nil || len(got) != 3 {
		t.Fatalf("the other user noted nothing (%v): %s", err, data)
	}
	for name, answer := range got {
		if answer != `403, cookies 0, to ""` {
			t.Errorf("%s: another user got %s", name, answer)
		}
	}
	if !strings.Contains(r.stderr, "another user of this computer") {
		t.Errorf("the person is not told: %s", r.stderr)
	}
	w.noLeaks(sb.Secrets())
}
