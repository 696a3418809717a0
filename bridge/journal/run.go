package journal

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// Each process that has begun an entry holds a lock on a file of its own beside
// the journal until it ends. So a reader can tell an entry that is under way from
// one whose process is gone: a process id would not do, since numbers come again.

const (
	runSuffix = ".run"
	// young is how old the file of a run must be before others may remove it: its
	// process may not have locked it yet.
	young = time.Minute
)

// runs are the processes that write the journal of one profile.
type runs struct{ dir, profile string }

func (r runs) path(run string) string { return filepath.Join(r.dir, r.profile+"."+run+runSuffix) }

// hold says that a process runs until release.
func (r runs) hold(run string) (release func(), err error) {
	path := r.path(run)
	l := runLock(path)
	if err := l.Lock(); err != nil { // whoever looks at it has it for an instant
		return nil, err
	}
	return func() {
		_ = l.Unlock()
		_ = os.Remove(path) // Windows removes no open file
	}, nil
}

func runLock(path string) *flock.Flock {
	return flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY), flock.SetPermissions(privateMode))
}

const privateMode = 0o600

// living tells which processes run, and removes what killed ones have left.
func (r runs) living() map[string]bool {
	living := map[string]bool{}
	names, err := os.ReadDir(r.dir)
	if err != nil {
		return living
	}
	for _, n := range names {
		run, ok := strings.CutSuffix(n.Name(), runSuffix)
		run, mine := strings.CutPrefix(run, r.profile+".")
		if !ok || !mine || !isName(run, runLength) || privatefile.CheckFile(r.path(run)) != nil {
			continue
		}
		l := runLock(r.path(run))
		if free, err := l.TryLock(); err != nil || !free {
			living[run] = true
			continue
		}
		info, err := os.Lstat(r.path(run))
		_ = l.Unlock()
		if err == nil && time.Since(info.ModTime()) > young {
			_ = os.Remove(r.path(run))
		}
	}
	return living
}
