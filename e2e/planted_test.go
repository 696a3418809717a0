package e2e

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// stranger is a user of this computer who is not the one who runs the tests.
const stranger = 12345

// giveAway makes a file the stranger's.
func giveAway(t *testing.T, path string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("giving a file away needs root")
	}
	if err := os.Lchown(path, stranger, stranger); err != nil {
		t.Fatal(err)
	}
}

// plantings are what another user, or a careless copy, may put in the place of
// one of our files; evil is what they want to be read.
func plantings(evil string) map[string]func(t *testing.T, path string) {
	content := func(path string, mode fs.FileMode) error {
		data, err := os.ReadFile(path)
		if err != nil || evil != "" {
			data = []byte(evil)
		}
		_ = os.Remove(path)
		if err := os.WriteFile(path, data, mode); err != nil {
			return err
		}
		return os.Chmod(path, mode) // whatever the umask is
	}
	return map[string]func(t *testing.T, path string){
		"a stranger's": func(t *testing.T, path string) {
			t.Helper()
			if err := content(path, 0o644); err != nil {
				t.Fatal(err)
			}
			giveAway(t, path)
		},
		"a stranger's, private": func(t *testing.T, path string) {
			t.Helper()
			if err := content(path, 0o600); err != nil {
				t.Fatal(err)
			}
			giveAway(t, path)
		},
		"writable by all": func(t *testing.T, path string) {
			t.Helper()
			if err := content(path, 0o606); err != nil {
				t.Fatal(err)
			}
		},
		"readable by the group": func(t *testing.T, path string) {
			t.Helper()
			if err := content(path, 0o640); err != nil {
				t.Fatal(err)
			}
		},
		"a link": func(t *testing.T, path string) {
			t.Helper()
			elsewhere := filepath.Join(t.TempDir(), "elsewhere")
			if err := os.Rename(path, elsewhere); err != nil && evil == "" {
				t.Fatal(err)
			}
			if err := os.WriteFile(elsewhere, []byte(evil), 0o600); evil != "" && err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(elsewhere, path); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// A profile that somebody else may have written leads nobody anywhere: it could
// name an endpoint, a proxy and an authority of theirs.
//
//oauth:row X25 internal/privatefile/read_unix.go "if info.Mode().Perm()&0o077 != 0 {" => "if false {"
//oauth:row X25 internal/privatefile/read.go "if !info.Mode().IsRegular() {" => "if false {"
//oauth:row X25 internal/privatefile/read_unix.go "int64(st.Uid) != int64(os.Geteuid())" => "false"
func TestPlanted_profile_isRefused(t *testing.T) {
	t.Parallel()
	for name := range plantings("x") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sb := startSandbox(t, sandbox.Options{})
			w.visitor()
			if err := os.Mkdir(w.state, 0o700); err != nil {
				t.Fatal(err)
			}
			plantings(`{"url":"` + sb.Endpoint() + `"}`)[name](t, filepath.Join(w.state, "profile-default.json"))
			says := "is not private"
			if name == "a link" {
				says = "is not a regular file"
			}
			for _, command := range []string{"status", "login --store=file", "logout", ""} {
				w.fails(w.payu(strings.Fields(command)...), exitError, says)
			}
			if n := sb.Log().Len(); n != 0 {
				t.Errorf("%d requests to the endpoint of the planted file", n)
			}
		})
	}
}

// The same for what a login has left: the sealed file, the key beside it, the
// locks. Nothing of what a link leads to is changed.
//
//oauth:row X25 keychain/lock.go "if err := privatefile.CheckFile(l.path); err != nil {" => "if err := privatefile.CheckFile(l.path); false {"
func TestPlanted_filesOfALogin_areRefused(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{".json", ".key", ".lock", ".login"} {
		for name := range plantings("x") {
			t.Run(name+" "+suffix, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				g := goodLogin(t, w, sandbox.Options{})
				path := strings.TrimSuffix(w.sealed()[0], ".json") + suffix
				plantings("")[name](t, path)
				before := g.sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts})
				w.fails(w.payu("login"), exitError, "is not private")
				if n := g.sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts}) - before; n > 0 {
					t.Errorf("%d requests at the authorization server", n)
				}
				w.noLeaks(g.sb.Secrets())
			})
		}
	}
}

// What is only a help, the server's era and its saved answers, is left aside when
// it is not ours, and made anew.
func TestPlanted_helps_areIgnored(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"era-*", "catalogue-*"} {
		for name := range plantings("x") {
			t.Run(name+" "+pattern, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				g := goodLogin(t, w, sandbox.Options{})
				files, err := filepath.Glob(filepath.Join(w.state, pattern))
				if err != nil || len(files) == 0 {
					t.Fatalf("no %s (%v)", pattern, err)
				}
				for _, path := range files {
					plantings(`{"tools":{"tools":[{"name":"evil"}]}}`)[name](t, path)
				}
				h := w.startHost()
				h.initialize()
				h.works()
				if code := h.end(); code != 0 {
					t.Errorf("the bridge ended with %d", code)
				}
				g.valid()
			})
		}
	}
}

// A log file in a shared folder: another user's link leads to a file of ours, and
// theirs is theirs to read.
//
//oauth:row X25 cmd/payu-mcp/logfile_unix.go "if err := checkOwner(path, info); err != nil {" => "if err := error(nil); err != nil {"
//oauth:row X25 cmd/payu-mcp/logfile_unix.go "if !ok || st.Uid == 0 || int64(st.Uid) == int64(os.Geteuid()) {" => "if ok || !ok {"
func TestPlanted_logFile_isNotWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.visitor()
	shared := w.path("tmp")
	if err := os.Chmod(shared, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	ours := w.path("home", "precious")
	if err := os.WriteFile(ours, []byte("precious\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	login := func(log string) result {
		return w.payu("login", "--url", sb.Endpoint(), "--store=file", "--log-file", log)
	}
	link, theirs := filepath.Join(shared, "link.log"), filepath.Join(shared, "theirs.log")
	if err := os.Symlink(ours, link); err != nil {
		t.Fatal(err)
	}
	w.must(login(link), 0) // our own link is ours to make
	if data, err := os.ReadFile(ours); err != nil || !strings.Contains(string(data), "level=DEBUG") {
		t.Errorf("nothing was logged through a link of our own (%v): %s", err, data)
	}
	w.must(login("/dev/stderr"), 0) // the system's link
	before, err := os.ReadFile(ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(theirs, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	giveAway(t, link)
	giveAway(t, theirs)
	for _, path := range []string{link, theirs} {
		w.fails(login(path), exitError, "belongs to user 12345")
	}
	if after, err := os.ReadFile(ours); err != nil || string(after) != string(before) {
		t.Errorf("a stranger's link was followed (%v)", err)
	}
	if info, err := os.Stat(theirs); err != nil || info.Size() != 0 {
		t.Errorf("a stranger's file was written to (%v)", err)
	}
}

// The state folder is never one that others can write to or that a link leads
// to, and what lies in it is private whatever the umask is.
//
//oauth:row X25 keychain/files.go "return privatefile.CheckOwner(dir, info)" => "return nil"
func TestPlanted_stateFolder_sharedIsRefusedOursIsPrivate(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(dir string) error{
		"shared, as /tmp":   func(dir string) error { _ = os.Mkdir(dir, 0o700); return os.Chmod(dir, 0o777|fs.ModeSticky) },
		"open to the group": func(dir string) error { _ = os.Mkdir(dir, 0o700); return os.Chmod(dir, 0o770) },
		"a link": func(dir string) error {
			if err := os.Mkdir(dir+"-real", 0o700); err != nil {
				return err
			}
			return os.Symlink(dir+"-real", dir)
		},
	} {
		w := newWorld(t)
		sb := startSandbox(t, sandbox.Options{})
		if err := plant(w.state); err != nil {
			t.Fatal(err)
		}
		w.fails(w.payu("login", "--url", sb.Endpoint(), "--store=file", "--time-limit=20s"), exitError, "is not private")
		if left, _ := os.ReadDir(w.state); len(left) > 0 || sb.Log().Len() > 0 {
			t.Errorf("%s: %d files were made, %d requests sent", name, len(left), sb.Log().Len())
		}
	}
}

//oauth:row X25 internal/atomicfile/write.go "if err = f.Chmod(perm); err != nil {" => "if err = f.Chmod(perm | 0o066); err != nil {"
func TestPlanted_umaskZero_allFilesPrivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.visitor()
	log := w.path("logs", "payu.log")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `umask 000; exec "$@"`, "sh", binary, "login", "--url", sb.Endpoint(), "--store=file", "--log-file", log)
	cmd.Env = w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if info, err := os.Stat(log); err != nil || info.Mode() != 0o600 {
		t.Errorf("the log: %v, %v", info.Mode(), err)
	}
	seen := 0
	err := filepath.WalkDir(w.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || seen < 6 {
		t.Errorf("%d files (%v)", seen, err)
	}
}
