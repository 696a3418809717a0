//go:build !windows && !darwin

package auth

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// graphicalBrowsers is what xdg-open tries by itself where there is a display,
// without the text browsers that follow.
const graphicalBrowsers = "x-www-browser:firefox:firefox-esr:epiphany:konqueror:chromium:chromium-browser:google-chrome:microsoft-edge:brave-browser"

// managerLimit bounds the question to the user's service manager.
const managerLimit = time.Second

// session is where the traces of a person's desktop are. A host that strips the
// environment leaves a bridge without DISPLAY in the midst of a desktop (HOSTS
// section 1); xdg-open would then turn to text browsers.
type session struct {
	getenv  func(string) string
	uid     int
	runtime string // /run/user/UID
	x11     string // the folder of the X servers' sockets
	home    string
	kernel  string // the file that names the kernel
	look    func(program string) (string, error)
	// manager returns the environment of the user's service manager, as lines.
	manager func(ctx context.Context, env []string) []byte
}

// desktop returns the variables by which the opener finds the person's desktop,
// and whether there is one, or another way to a browser.
func (o Opener) desktop(ctx context.Context) (extra []string, found bool) {
	uid := os.Getuid()
	home, _ := os.UserHomeDir() // without one there is one trace less
	return session{
		getenv: o.Getenv, uid: uid, runtime: "/run/user/" + strconv.Itoa(uid), x11: "/tmp/.X11-unix", home: home,
		kernel: "/proc/sys/kernel/osrelease", look: exec.LookPath, manager: showEnvironment,
	}.find(ctx)
}

func (s session) find(ctx context.Context) (extra []string, found bool) {
	own := graphical(s.getenv("BROWSER"))
	extra = append(s.bus(), "BROWSER="+cmp.Or(own, graphicalBrowsers))
	switch {
	case own != "":
		return extra, true
	case s.inWindows():
		return append(extra, OpenerEnv+"=wslview"), true
	case s.getenv("DISPLAY") != "" || s.getenv("WAYLAND_DISPLAY") != "":
		return extra, true
	case s.getenv("SSH_CONNECTION") != "" || s.getenv("SSH_TTY") != "":
		return nil, false // a desktop that is there is not before this person
	}
	for _, display := range [][]string{s.fromManager(ctx, extra), s.fromWayland(), s.fromX11()} {
		if len(display) > 0 {
			return append(extra, display...), true
		}
	}
	return nil, false
}

// inWindows: on Linux within Windows the browser is Windows' own.
func (s session) inWindows() bool {
	name, err := os.ReadFile(s.kernel)
	if err != nil || !strings.Contains(strings.ToLower(string(name)), "microsoft") {
		return false
	}
	_, err = s.look("wslview")
	return err == nil
}

// bus returns the variables of the user's runtime folder that are missing.
func (s session) bus() []string {
	var extra []string
	info, err := os.Stat(s.runtime)
	if err != nil || !info.IsDir() || !s.owns(info) {
		return nil
	}
	if s.getenv("XDG_RUNTIME_DIR") == "" {
		extra = append(extra, "XDG_RUNTIME_DIR="+s.runtime)
	}
	if s.getenv("DBUS_SESSION_BUS_ADDRESS") == "" && s.hasSocket(filepath.Join(s.runtime, "bus")) {
		extra = append(extra, "DBUS_SESSION_BUS_ADDRESS=unix:path="+s.runtime+"/bus")
	}
	return extra
}

// fromManager asks the user's service manager, which desktops tell their display.
// What it knows may be older than the desktop, so each display must be there.
func (s session) fromManager(ctx context.Context, env []string) []string {
	if !s.hasSocket(filepath.Join(s.runtime, "systemd", "private")) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, managerLimit)
	defer cancel()
	var display, rest []string
	for line := range strings.Lines(string(s.manager(ctx, env))) {
		line = strings.TrimSpace(line)
		name, value, _ := strings.Cut(line, "=")
		switch {
		case value == "" || strings.HasPrefix(value, "$'"): // quoted for a shell: nothing that a display is called
		case name == "WAYLAND_DISPLAY" && s.hasSocket(filepath.Join(s.runtime, value)),
			name == "DISPLAY" && s.hasDisplay(value):
			display = append(display, line)
		case name == "XAUTHORITY":
			rest = append(rest, line)
		}
	}
	if len(display) == 0 {
		return nil
	}
	return append(display, rest...)
}

func (s session) hasDisplay(name string) bool {
	number, local := strings.CutPrefix(name, ":")
	number, _, _ = strings.Cut(number, ".")
	_, err := strconv.Atoi(number)
	return local && err == nil && exists(filepath.Join(s.x11, "X"+number))
}

func (s session) fromWayland() []string {
	names, _ := filepath.Glob(filepath.Join(s.runtime, "wayland-*")) // the pattern is good
	for _, name := range names {
		if s.hasSocket(name) {
			return []string{"WAYLAND_DISPLAY=" + filepath.Base(name)}
		}
	}
	return nil
}

// fromX11 takes an X server of this user, or one of the system's to which a file
// of this user gives access.
func (s session) fromX11() []string {
	authority := s.authority()
	sockets, _ := filepath.Glob(filepath.Join(s.x11, "X*")) // the pattern is good
	for _, socket := range sockets {
		display := ":" + strings.TrimPrefix(filepath.Base(socket), "X")
		switch {
		case !s.hasDisplay(display):
		case authority != "":
			return []string{"DISPLAY=" + display, "XAUTHORITY=" + authority}
		case s.hasSocket(socket):
			return []string{"DISPLAY=" + display}
		}
	}
	return nil
}

func (s session) authority() string {
	names := []string{s.getenv("XAUTHORITY"), filepath.Join(s.home, ".Xauthority"), filepath.Join(s.runtime, "gdm", "Xauthority")}
	for _, pattern := range []string{".mutter-Xwaylandauth.*", "xauth_*"} {
		more, _ := filepath.Glob(filepath.Join(s.runtime, pattern)) // the pattern is good
		names = append(names, more...)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && s.owns(info) {
			return name
		}
	}
	return ""
}

func (s session) hasSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Type() == fs.ModeSocket && s.owns(info)
}

func (s session) owns(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(st.Uid) == int64(s.uid)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func showEnvironment(ctx context.Context, env []string) []byte {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "systemctl", "--user", "show-environment")
	cmd.Env, cmd.Stdout, cmd.WaitDelay = append(os.Environ(), env...), &out, managerLimit/10
	if cmd.Run() != nil {
		return nil
	}
	return out.Bytes()
}

// anyOpener: without these pkg/browser would turn to www-browser, which may be a
// text browser.
func anyOpener() bool {
	for _, name := range []string{"xdg-open", "x-www-browser"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}
