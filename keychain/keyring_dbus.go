//go:build !darwin && !windows

package keychain

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// reachable tells whether there is a session bus, without starting one. Where
// godbus finds no address it runs dbus-launch, which leaves a daemon behind for
// each process and then hangs (OAUTH K10). godbus also gives up its own look at
// /run/user in a stripped environment without USER, so the address is settled
// here and handed over in the variable that godbus reads first (and would set
// itself).
func reachable() error {
	addr := os.Getenv(busVariable)
	if addr != "" && !strings.HasPrefix(addr, "autolaunch:") {
		return nil
	}
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/run/user/" + strconv.Itoa(os.Getuid())} {
		if path := filepath.Join(dir, "bus"); filepath.IsAbs(path) && ownSocket(path) {
			return os.Setenv(busVariable, "unix:path="+escapeAddress(path))
		}
	}
	return faultError(faultAbsent)
}

func ownSocket(path string) bool {
	info, err := os.Stat(path) //nolint:gosec // G703: the variable names the user's own runtime folder; only a socket of the user's is taken
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(st.Uid) == int64(os.Getuid())
}

// escapeAddress escapes a value of a D-Bus address (D-Bus specification, Server
// Addresses).
func escapeAddress(s string) string {
	const plain = "-_/.\\*"
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789abcdef"
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// platformError judges by text because go-keyring has no sentinels and its D-Bus
// errors are not ours to import; the text is only compared, never passed on.
func platformError(err error) error {
	text := err.Error()
	for _, sign := range []string{"failed to unlock", "locked collection", "IsLocked"} {
		if strings.Contains(text, sign) {
			return faultError(faultLocked)
		}
	}
	for _, sign := range []string{"was not provided by any", "ServiceUnknown", "NoSuchObject", "UnknownObject", "no such object", "No such object", "Object does not exist"} {
		if strings.Contains(text, sign) {
			return faultError(faultAbsent)
		}
	}
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return faultError(faultAbsent) // the bus that the variable names is gone
	}
	return faultError(faultRefused)
}
