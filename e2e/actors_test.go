package e2e

import (
	"context"
	"io"
	"os"
	"os/exec"
)

// actors are the small programs that this test binary can be, by first argument.
var actors = map[string]func(args []string) int{
	"ask":          ask,
	"beaten":       beaten,
	"condition":    condition,
	"fill":         fillThenVisit,
	"forge":        forge,
	"group":        group,
	"leaky":        leaky,
	"noisy":        noisy,
	"note":         note,
	"parent":       parent,
	"peek":         peek,
	"record":       record,
	"record-visit": recordAndVisit,
	"reload":       reload,
	"signals":      signals,
	"stay":         stay,
	"tee":          tee,
	"visit":        visit,
	"visitor":      visitAs,
	"walk":         walk,
}

// tee runs the program that follows its first argument, and keeps a copy of what
// it prints in the file that the first one names: a host's view of the bridge.
func tee(args []string) int {
	file, err := os.OpenFile(args[0], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	defer file.Close()
	cmd := exec.CommandContext(context.Background(), args[1], args[2:]...)
	cmd.Stdin, cmd.Stderr, cmd.Stdout = os.Stdin, os.Stderr, io.MultiWriter(os.Stdout, file)
	if err := cmd.Run(); err != nil {
		return 1
	}
	return 0
}

// parent is a host's process that starts the bridge and waits for it; the pipes
// belong to somebody else.
func parent(args []string) int {
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return 1
	}
	return 0
}
