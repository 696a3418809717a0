//go:build !windows && !darwin

package auth

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeSession has folders of its own for all traces.
func fakeSession(t *testing.T, env ...string) session {
	t.Helper()
	root, err := os.MkdirTemp("", "s") //nolint:usetesting // short: a socket path is at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	s := session{
		uid: os.Getuid(), runtime: filepath.Join(root, "run"), x11: filepath.Join(root, "x11"), home: filepath.Join(root, "home"),
		kernel:  filepath.Join(root, "osrelease"),
		look:    func(string) (string, error) { return "", errors.New("not there") },
		manager: func(context.Context, []string) []byte { t.Error("the manager was asked"); return nil },
		getenv: func(name string) string {
			for _, line := range env {
				if v, ok := strings.CutPrefix(line, name+"="); ok {
					return v
				}
			}
			return ""
		},
	}
	for _, dir := range []string{s.runtime, s.x11, s.home, filepath.Join(s.runtime, "systemd")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func socket(t *testing.T, path string) {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
}

func file(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// HOSTS section 1, "Stripped environment".
func TestSession_traces_displayFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env   []string
		make  func(t *testing.T, s *session)
		want  []string // besides BROWSER and XDG_RUNTIME_DIR, RUN and HOME stand for folders
		found bool
	}{
		"nothing":                 {nil, func(*testing.T, *session) {}, nil, false},
		"display given":           {[]string{"DISPLAY=:5"}, func(*testing.T, *session) {}, nil, true},
		"wayland given":           {[]string{"WAYLAND_DISPLAY=w"}, func(*testing.T, *session) {}, nil, true},
		"graphical browser given": {[]string{"BROWSER=w3m:firefox"}, func(*testing.T, *session) {}, nil, true},
		"text browser given":      {[]string{"BROWSER=/usr/bin/w3m %s:lynx"}, func(*testing.T, *session) {}, nil, false},
		"wayland socket":          {nil, func(t *testing.T, s *session) { socket(t, s.runtime+"/wayland-1") }, []string{"WAYLAND_DISPLAY=wayland-1"}, true},
		"wayland lock, no socket": {nil, func(t *testing.T, s *session) { file(t, s.runtime+"/wayland-0.lock", "") }, nil, false},
		"wayland socket over SSH": {[]string{"SSH_CONNECTION=a b"}, func(t *testing.T, s *session) { socket(t, s.runtime+"/wayland-1") }, nil, false},
		"X socket":                {nil, func(t *testing.T, s *session) { socket(t, s.x11+"/X3") }, []string{"DISPLAY=:3"}, true},
		"X socket with odd name":  {nil, func(t *testing.T, s *session) { socket(t, s.x11+"/Xevil") }, nil, false},
		"X socket and authority":  {nil, func(t *testing.T, s *session) { socket(t, s.x11+"/X0"); file(t, s.home+"/.Xauthority", "x") }, []string{"DISPLAY=:0", "XAUTHORITY=HOME/.Xauthority"}, true},
		"Xwayland authority": {nil, func(t *testing.T, s *session) {
			socket(t, s.x11+"/X0")
			file(t, s.runtime+"/.mutter-Xwaylandauth.A1", "x")
		}, []string{"DISPLAY=:0", "XAUTHORITY=RUN/.mutter-Xwaylandauth.A1"}, true},
		"another user's X, no file": {nil, func(t *testing.T, s *session) { socket(t, s.x11+"/X0"); s.uid++ }, nil, false},
		"manager": {
			nil, managed("DISPLAY=:2\nXAUTHORITY=/run/x\nHOME=/h\n", func(t *testing.T, s *session) { socket(t, s.x11+"/X2") }),
			[]string{"DISPLAY=:2", "XAUTHORITY=/run/x"},
			true,
		},
		"manager of a desktop that is gone": {nil, managed("DISPLAY=:2\nWAYLAND_DISPLAY=wayland-0\nXAUTHORITY=/run/x\n", nil), nil, false},
		"manager with something quoted":     {nil, managed("DISPLAY=$':2\\n'\n", nil), nil, false},
		"bus":                               {[]string{"DISPLAY=:5"}, func(t *testing.T, s *session) { socket(t, s.runtime+"/bus") }, []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=RUN/bus"}, true},
		"bus given":                         {[]string{"DISPLAY=:5", "DBUS_SESSION_BUS_ADDRESS=x"}, func(t *testing.T, s *session) { socket(t, s.runtime+"/bus") }, nil, true},
		"in Windows":                        {nil, inWindows("wslview"), []string{"PAYU_MCP_BROWSER=wslview"}, true},
		"in Windows without its opener":     {nil, inWindows(""), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fakeSession(t, c.env...)
			c.make(t, &s)
			extra, found := s.find(t.Context())
			if found != c.found {
				t.Fatalf("found %v, %q", found, extra)
			}
			var got []string
			for _, line := range extra {
				name, value, _ := strings.Cut(line, "=")
				switch {
				case name == "BROWSER" && value != "firefox" && value != graphicalBrowsers:
					t.Errorf("BROWSER = %q", value)
				case name == "BROWSER", name == "XDG_RUNTIME_DIR" && value == s.runtime:
				default:
					got = append(got, strings.NewReplacer(s.runtime, "RUN", s.home, "HOME").Replace(line))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func managed(lines string, more func(*testing.T, *session)) func(*testing.T, *session) {
	return func(t *testing.T, s *session) {
		t.Helper()
		socket(t, s.runtime+"/systemd/private")
		s.manager = func(context.Context, []string) []byte { return []byte(lines) }
		if more != nil {
			more(t, s)
		}
	}
}

func inWindows(opener string) func(*testing.T, *session) {
	return func(t *testing.T, s *session) {
		t.Helper()
		file(t, s.kernel, "5.15.90.1-microsoft-standard-WSL2\n")
		s.look = func(name string) (string, error) {
			if name != opener {
				return "", errors.New("not there")
			}
			return "/usr/bin/" + name, nil
		}
	}
}

// It is asked for no longer than a moment, however it behaves.
func TestShowEnvironment_noManager_nothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := showEnvironment(ctx, nil); got != nil {
		t.Errorf("got %q", got)
	}
}
