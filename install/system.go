package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// System is the computer that hosts are looked for on. It is injected, so that
// one test shows three operating systems: paths follow GOOS and the variables,
// and are looked up in the file system that is really there.
type System struct {
	// GOOS is darwin, windows or anything else, which counts as Linux.
	GOOS string
	// Home is the person's home folder, absolute.
	Home string
	// Work is the folder that project files are in; "" where there is none.
	Work string
	// Getenv returns a variable of the environment.
	Getenv func(name string) string
	// LookPath finds a program on PATH. Nil finds none.
	LookPath func(program string) (string, error)
	// Run runs a program to its end and returns what it printed. Nil: hosts'
	// own programs are not used, only files are edited.
	Run func(ctx context.Context, program string, args ...string) ([]byte, error)
}

// This returns the computer that the process runs on.
func This() (System, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return System{}, fmt.Errorf("finding the home folder: %w", err)
	}
	work, err := os.Getwd()
	if err != nil {
		return System{}, fmt.Errorf("finding the current folder: %w", err)
	}
	return System{GOOS: runtime.GOOS, Home: home, Work: work, Getenv: os.Getenv, LookPath: exec.LookPath, Run: runProgram}, nil
}

func runProgram(ctx context.Context, program string, args ...string) ([]byte, error) {
	return exec.CommandContext(ctx, program, args...).CombinedOutput()
}

// path expands the folders that the table names: $HOME, $CONFIG (XDG's, also on
// macOS), $DATA (where desktop programs keep their data), $LOCALAPPDATA, and the
// variables with which a person moves a host's folder.
func (s System) path(pattern string) string {
	return filepath.Clean(filepath.FromSlash(os.Expand(pattern, s.folder)))
}

func (s System) folder(name string) string {
	switch name {
	case "CONFIG":
		return s.env("XDG_CONFIG_HOME", s.Home+"/.config")
	case "DATA":
		switch s.GOOS {
		case "darwin":
			return s.Home + "/Library/Application Support"
		case "windows":
			return s.folder("APPDATA")
		}
		return s.folder("CONFIG")
	case "APPDATA":
		return s.env("APPDATA", s.Home+"/AppData/Roaming")
	case "LOCALAPPDATA":
		return s.env("LOCALAPPDATA", s.Home+"/AppData/Local")
	case "CLAUDE_CONFIG_DIR":
		return s.env("CLAUDE_CONFIG_DIR", s.Home)
	case "CODEX_HOME":
		return s.env("CODEX_HOME", s.Home+"/.codex")
	}
	return s.Home
}

// env is an absolute path of the environment; a relative one would mean another
// folder for each host.
func (s System) env(name, otherwise string) string {
	if s.Getenv != nil {
		if v := s.Getenv(name); filepath.IsAbs(v) {
			return v
		}
	}
	return otherwise
}

func (s System) hasProgram(names []string) bool {
	for _, name := range names {
		if s.LookPath == nil {
			return false
		}
		if _, err := s.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// exists tells whether there is something at path, and may be told so.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
