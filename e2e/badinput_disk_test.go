package e2e

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// smallDisk makes the state folder a file system of 128 KiB of its own.
func (w *world) smallDisk() {
	w.t.Helper()
	if err := os.Mkdir(w.state, 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", w.state, "tmpfs", 0, "size=128k,mode=0700"); err != nil {
		w.t.Skipf("mounting is not allowed here: %v", err)
	}
	w.t.Cleanup(func() { _ = unix.Unmount(w.state, unix.MNT_DETACH) })
}

// trouble is how a disk fails; the returned function cures it.
type trouble struct {
	says   string // the error and the log
	status string // `status`, while a bridge has a login that it cannot save
	cause  func(w *world) (cure func())
}

func troubles() map[string]trouble {
	return map[string]trouble{
		"full": {"the disk is full", "holds a newer login that it could not save", func(w *world) func() {
			w.t.Helper()
			file := filepath.Join(w.state, "filler")
			if err := fill(file); err != nil {
				w.t.Fatal(err)
			}
			return func() { _ = os.Remove(file) }
		}},
		// Nothing can be noted there, not even who holds what.
		"read-only": {"the file system is read-only", "the folder cannot be written now", func(w *world) func() {
			w.t.Helper()
			if err := unix.Mount("", w.state, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
				w.t.Fatal(err)
			}
			return func() { _ = unix.Mount("", w.state, "", unix.MS_REMOUNT, "") }
		}},
	}
}

// fill takes all that is left of a disk.
func fill(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for size := 4096; size > 0; {
		if _, err := f.Write(bytes.Repeat([]byte("x"), size)); errors.Is(err, unix.ENOSPC) {
			size /= 4096
		} else if err != nil {
			return err
		}
	}
	return nil
}

// fillThenVisit is an opener: the disk gets full while the person signs in.
func fillThenVisit(args []string) int {
	if fill(args[0]) != nil {
		return 1
	}
	return visit(args[1:])
}

// shifted is a clock that can be set ahead: then tokens have expired at the
// server, and nobody has to wait for it.
type shifted struct{ ahead atomic.Int64 }

func (s *shifted) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func (g *good) signIns() int { return g.sb.Log().Count(sandbox.Query{Grant: "authorization_code"}) }

func TestBadInput_diskFailsBeforeLogin_saidBeforeTheBrowser(t *testing.T) {
	t.Parallel()
	for name, c := range troubles() {
		for _, signedIn := range []string{"signed in", "signed out"} {
			t.Run(name+" "+signedIn, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.smallDisk()
				g := goodLogin(t, w, sandbox.Options{})
				if signedIn == "signed out" {
					w.must(w.payu("logout"), 0)
				}
				before := g.sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts})
				cure := c.cause(w)
				if r := w.payu("login"); name == "full" {
					w.fails(r, exitError, c.says)
				} else if w.must(r, exitError); !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, "payu-mcp: hint: ") {
					t.Errorf("it does not say %q, with a hint: %s", c.says, r.stderr)
				}
				if n := g.sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts}) - before; n > 0 {
					t.Errorf("%d requests at the authorization server", n)
				}
				if signedIn == "signed in" {
					g.kept()
				}
				cure()
				w.nothingLeft()
				w.must(w.payu("login"), 0)
				w.noLeaks(g.sb.Secrets())
			})
		}
	}
}

// Nothing of a sign-in that could not be stored stays alive, and the login from
// before goes on.
func TestBadInput_diskFullDuringLogin_oldLoginGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.smallDisk()
	g := goodLogin(t, w, sandbox.Options{})
	filler := filepath.Join(w.state, "filler")
	w.actor("fill", filler)
	w.fails(w.payu("login"), exitError, "the disk is full")
	if n := g.sb.Log().Count(sandbox.Query{Path: "/oauth/revoke"}); n == 0 {
		t.Error("the new login was not revoked")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	g.log = g.sb.Log().Len()
	g.outlived(false) // the sign-in could not be taken out while the disk was full
	if n := g.signIns(); n != 2 {
		t.Errorf("%d sign-ins, want the first and the lost one", n)
	}
	w.visitor()
	w.must(w.payu("login"), 0)
	w.nothingLeft()
	w.noLeaks(g.sb.Secrets())
}

// relays runs a bridge from start to end; it must list PayU's tools and call one
// without a sign-in, with so many refreshes.
func (w *world) relays(g *good, refreshes int) {
	w.t.Helper()
	signIns, before := g.signIns(), g.sb.Log().Len()
	h := w.startHost()
	h.initialize()
	h.works()
	if code := h.end(); code != 0 {
		w.t.Errorf("the bridge ended with %d", code)
	}
	if n := g.signIns() - signIns; n != 0 {
		w.t.Errorf("%d new sign-ins", n)
	}
	if n := g.sb.Log().Count(sandbox.Query{Grant: "refresh_token", After: before}); n != refreshes {
		w.t.Errorf("%d refreshes, want %d", n, refreshes)
	}
}

// A refreshed login that cannot be saved is used from memory, told by `status`,
// and saved when the disk takes it.
func TestBadInput_diskFailsDuringRefresh_callsGoOnAndItIsSavedLater(t *testing.T) {
	t.Parallel()
	for name, c := range troubles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, clock := newWorld(t), &shifted{}
			w.smallDisk()
			g := goodLogin(t, w, sandbox.Options{Now: clock.now})
			h := w.startHost()
			h.initialize()
			cure := c.cause(w)
			clock.ahead.Add(int64(3 * time.Hour))
			for range 3 {
				h.works()
			}
			g.kept() // on disk: the old one
			if n := len(w.processes()); n != 1 {
				t.Errorf("%d processes while the bridge runs: nothingLeft would see nothing", n)
			}
			if r := w.must(w.payu("status"), 0); !strings.Contains(r.stdout, c.status) {
				t.Errorf("status does not say %q:\n%s", c.status, r.stdout)
			}
			w.eventually("the bridge says "+c.says, 15*time.Second, func() bool { return strings.Contains(w.bridgeSaid(), c.says) })
			cure()
			w.eventually("the login is saved", 15*time.Second, func() bool {
				return !bytes.Equal(w.stored()[filepath.Base(w.sealed()[0])], g.files[filepath.Base(w.sealed()[0])])
			})
			if r := w.must(w.payu("status"), 0); strings.Contains(r.stdout, "note") {
				t.Errorf("status still tells of it:\n%s", r.stdout)
			}
			if code := h.end(); code != 0 {
				t.Errorf("the bridge ended with %d", code)
			}
			w.relays(g, 0)
			if n, again := g.signIns(), g.sb.Log().RefreshCollisions(); n != 1 || again != 0 {
				t.Errorf("%d sign-ins, %d refresh tokens used twice; want 1 and 0", n, again)
			}
			w.nothingLeft()
			w.noLeaks(g.sb.Secrets())
		})
	}
}
