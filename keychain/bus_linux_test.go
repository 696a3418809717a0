package keychain_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/keychain"
)

// childBus asks the real keychain of an environment without a session bus.
func childBus(ctx context.Context, dir string) error {
	s, err := keychain.Open(keychain.Options{
		Dir: dir, Profile: profile, Resource: resource,
		Keyring: keychain.NewKeyring(nil, 2*time.Second),
	})
	if err != nil {
		return err
	}
	err = s.Prepare(ctx)
	fmt.Fprintln(os.Stderr, errors.Is(err, keychain.ErrUnavailable), os.Getenv("DBUS_SESSION_BUS_ADDRESS"), err)
	return nil
}

// runBus returns what the child says, and whether dbus-launch was run.
func runBus(t *testing.T, env ...string) (string, bool) {
	t.Helper()
	bin := t.TempDir()
	marker := filepath.Join(bin, "launched")
	must(t, os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte("#!/bin/sh\n: > "+marker+"\n"), 0o700))
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append([]string{"PATH=" + bin + ":/usr/bin:/bin", childVariable + "=bus:" + stateDir(t)}, env...)
	out, err := cmd.CombinedOutput()
	must(t, err)
	_, statErr := os.Stat(marker)
	return string(out), statErr == nil
}

func TestKeyring_noSessionBus_unavailableWithoutDBusLaunch(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/run/user/" + strconv.Itoa(os.Getuid()) + "/bus"); err == nil {
		t.Skip("this session has a bus at its usual place")
	}
	file := filepath.Join(t.TempDir(), "bus")
	must(t, os.WriteFile(file, nil, 0o600)) // not a socket
	for _, env := range [][]string{
		nil,
		{"DBUS_SESSION_BUS_ADDRESS="},
		{"DBUS_SESSION_BUS_ADDRESS=autolaunch:"},
		{"XDG_RUNTIME_DIR=" + filepath.Dir(file)},
		{"DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere"},
	} {
		out, launched := runBus(t, env...)
		if launched || !strings.HasPrefix(out, "true ") || !strings.Contains(out, "there is none") {
			t.Errorf("%q: dbus-launch run: %v, said %q", env, launched, out)
		}
	}
}

func TestKeyring_busInRuntimeFolderThatNeverAnswers_timeout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/a b"
	must(t, os.Mkdir(dir, 0o700))
	l, err := net.Listen("unix", dir+"/bus")
	must(t, err)
	defer l.Close()
	out, launched := runBus(t, "XDG_RUNTIME_DIR="+dir)
	if launched || !strings.Contains(out, "unix:path=") || !strings.Contains(out, "a%20b/bus") || !strings.Contains(out, "does not answer") {
		t.Errorf("dbus-launch run: %v, said %q", launched, out)
	}
}
