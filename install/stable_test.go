package install_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/install"
)

// The path in an entry is the one that is still there after an update.
func TestStablePath_packageManagers_lastingPath(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, program string
		links         map[string]string // link -> target, below the home
		path          []string          // of PATH, below the home
		want          string
	}{
		{"go install", "go/bin/payu-mcp", nil, []string{"go/bin"}, "go/bin/payu-mcp"},
		{"not on PATH", "Downloads/payu-mcp", nil, []string{"bin"}, "Downloads/payu-mcp"},
		{"Homebrew", "brew/Cellar/payu-mcp/1.2.3/bin/payu-mcp", map[string]string{"brew/bin/payu-mcp": "../Cellar/payu-mcp/1.2.3/bin/payu-mcp"}, nil, "brew/bin/payu-mcp"},
		{"Homebrew, not linked", "brew/Cellar/payu-mcp/1.2.3/bin/payu-mcp", map[string]string{"brew/opt/payu-mcp": "../Cellar/payu-mcp/1.2.3"}, nil, "brew/opt/payu-mcp/bin/payu-mcp"},
		{"Homebrew cask", "brew/Caskroom/payu-mcp/1.2.3/payu-mcp", map[string]string{"brew/bin/payu-mcp": "../Caskroom/payu-mcp/1.2.3/payu-mcp"}, nil, "brew/bin/payu-mcp"},
		{"Scoop", "scoop/apps/payu-mcp/1.2.3/payu-mcp", map[string]string{"scoop/apps/payu-mcp/current": "1.2.3"}, nil, "scoop/apps/payu-mcp/current/payu-mcp"},
		{"WinGet, Nix: a link on PATH", "store/abc-payu-mcp/bin/payu-mcp", map[string]string{"links/payu-mcp": "../store/abc-payu-mcp/bin/payu-mcp"}, []string{"usr/bin", "links"}, "links/payu-mcp"},
		{"called over the link", "links/payu-mcp", map[string]string{"links/payu-mcp": "../store/abc/payu-mcp", "store/abc/payu-mcp": "../../real"}, []string{"links"}, "links/payu-mcp"},
		{"another program on PATH", "mine/payu-mcp", map[string]string{"links/payu-mcp": "../other"}, []string{"links"}, "mine/payu-mcp"},
		{"nvm: npm's link is a script", "nvm/versions/node/v22/lib/node_modules/@x/payu-mcp", map[string]string{"nvm/versions/node/v22/bin/payu-mcp": "../lib/run.js"}, []string{"nvm/versions/node/v22/bin"}, "nvm/versions/node/v22/lib/node_modules/@x/payu-mcp"},
		{"fnm: the link of one shell", "fnm/node-versions/v22/payu-mcp", map[string]string{"run/fnm_multishells/1_2/payu-mcp": "../../../fnm/node-versions/v22/payu-mcp"}, []string{"run/fnm_multishells/1_2"}, "fnm/node-versions/v22/payu-mcp"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			home, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			c := computer{t: t, System: install.System{Home: home}}
			if _, isLink := test.links[test.program]; !isLink {
				c.put(test.program, "a program")
			}
			for _, other := range []string{"other", "nvm/versions/node/v22/lib/run.js", "real"} {
				c.put(other, "another program")
			}
			for link, target := range test.links {
				symlink(t, target, filepath.Join(home, link))
			}
			var path []string
			for _, dir := range test.path {
				path = append(path, filepath.Join(home, dir))
			}
			c.Getenv = func(string) string { return strings.Join(append(path, "relative"), string(os.PathListSeparator)) }
			got, err := c.StablePath(filepath.Join(home, test.program))
			if err != nil || got != filepath.Join(home, test.want) {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func symlink(t *testing.T, target, link string) {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(target, link))
	if info, errLink := os.Lstat(link); runtime.GOOS == "windows" && (err != nil || errLink != nil || info.Mode().Type() != os.ModeSymlink) {
		t.Skip("links need a right that this user does not have, or a Windows that has them: Wine copies")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// `go run`, npx and downloads that were never moved leave nothing to start.
func TestStablePath_passingPlaces_refused(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux")
	for _, name := range []string{
		"go-build123456/b001/exe/payu-mcp", ".cache/go-build/ab/abcdef-d/payu-mcp", ".npm/_npx/0123/node_modules/x/payu-mcp",
		"AppTranslocation/0123/d/payu-mcp",
	} {
		if path, err := c.StablePath(c.put(name, "a program")); !errors.Is(err, install.ErrNotLasting) {
			t.Errorf("%s: %s, %v", name, path, err)
		}
	}
	if path, err := c.StablePath("payu-mcp"); err == nil {
		t.Errorf("a path that is not absolute gave %s", path)
	}
}
