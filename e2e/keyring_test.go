package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const secretService = "org.freedesktop.secrets"

// busConfig is a session bus that activates nothing: a keyring is there only
// when a test starts one.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// startBus gives the world a private D-Bus session.
func (w *world) startBus() {
	w.t.Helper()
	config := w.path("bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, w.path("run", "bus")), 0o600); err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.CommandContext(w.t.Context(), "dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--print-address")
	cmd.Env = w.env
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		w.t.Fatalf("reading the address of the bus: %v", err)
	}
	w.setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
}

// keyring is a running gnome-keyring-daemon.
type keyring struct {
	stop    func()
	process *os.Process
}

// startKeyring starts gnome-keyring on the world's bus: unlocked (its login
// keyring is made with the first start), or locked, with nobody to ask.
func (w *world) startKeyring(unlocked bool) keyring {
	w.t.Helper()
	owned := w.awaitOwner(secretService)
	args := []string{"--foreground", "--components=secrets"}
	if unlocked {
		args = append(args, "--unlock")
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	cmd := exec.CommandContext(ctx, "gnome-keyring-daemon", args...)
	cmd.Env = w.env
	cmd.Stdin = strings.NewReader("a passphrase of this test only")
	if err := cmd.Start(); err != nil {
		cancel()
		w.t.Fatal(err)
	}
	stop := func() { cancel(); _ = cmd.Wait() }
	w.t.Cleanup(stop)
	owned()
	return keyring{stop, cmd.Process}
}

// awaitOwner subscribes to the bus; the returned function waits until name has
// an owner. Asking before that may start a second, locked daemon (OAUTH
// section 11).
func (w *world) awaitOwner(name string) func() {
	w.t.Helper()
	conn := w.bus()
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	if err := conn.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)); err != nil {
		w.t.Fatal(err)
	}
	return func() {
		w.t.Helper()
		limit := time.After(15 * time.Second)
		for {
			select {
			case s := <-signals:
				if s != nil && len(s.Body) == 3 && s.Body[2] != "" {
					return
				}
			case <-limit:
				w.t.Fatalf("%s has no owner after 15 s", name)
			}
		}
	}
}

func (w *world) bus() *dbus.Conn {
	w.t.Helper()
	conn, err := dbus.Connect(w.getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// keys counts the items of payu-mcp in the keyring, as another program sees them.
func (w *world) keys() int {
	w.t.Helper()
	r := w.run("secret-tool", "search", "--all", "service", "payu-mcp")
	return strings.Count(r.stdout+r.stderr, "attribute.service = payu-mcp")
}
