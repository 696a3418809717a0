package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"

	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// Each bridge holds a lock on a file of its own in the state folder while it runs,
// so that `doctor` can count them on all systems. The system frees the lock of a
// process that is killed; its file is removed by the next one that looks.

const (
	runningPrefix = "bridge-"
	runningSuffix = ".lock"
)

// isRunning says that this bridge runs, until end. It is a help for people, so
// nothing comes of a failure but a line in the log.
func isRunning(stateDir string, log *slog.Logger) (end func()) {
	path := filepath.Join(stateDir, runningPrefix+strconv.Itoa(os.Getpid())+runningSuffix)
	f := runningLock(path)
	ok, err := f.TryLock()
	if err != nil || !ok {
		log.Debug("this bridge is not in the list of those that run", slog.Any("error", err))
		return func() {}
	}
	return func() {
		release(f, path)
		_, _ = runningBridges(stateDir) // takes away what killed ones have left
	}
}

func runningLock(path string) *flock.Flock {
	return flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY), flock.SetPermissions(0o600))
}

// release frees the lock before the file goes: Windows removes no open file. Nobody
// waits for such a lock, so nobody can be left with one on a file that is gone.
func release(f *flock.Flock, path string) {
	_ = f.Unlock()
	_ = os.Remove(path)
}

// runningBridges lists the processes of the bridges that run with a state folder.
func runningBridges(stateDir string) ([]int, error) {
	names, err := os.ReadDir(stateDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for other bridges: %w", err)
	}
	var running []int
	for _, n := range names {
		pid, ok := runningPID(n.Name())
		path := filepath.Join(stateDir, n.Name())
		if !ok || privatefile.CheckFile(path) != nil {
			continue
		}
		f := runningLock(path)
		if free, err := f.TryLock(); err == nil && free {
			release(f, path)
			continue
		}
		running = append(running, pid)
	}
	slices.Sort(running)
	return running, nil
}

func runningPID(name string) (int, bool) {
	text, ok := strings.CutSuffix(name, runningSuffix)
	if text, found := strings.CutPrefix(text, runningPrefix); ok && found {
		pid, err := strconv.Atoi(text)
		return pid, err == nil && pid > 0
	}
	return 0, false
}
