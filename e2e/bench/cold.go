package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// What a start costs that has nothing to do: the whole process, as the system
// accounts for it when it has ended.
const (
	msVersion   = "version cpu"
	msSignedOut = "signed out cpu"
)

// spent is the CPU time of a process that has ended, in ms.
func spent(cmd *exec.Cmd) float64 {
	return ms(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())
}

// cold measures the CPU time of short lives of payu-mcp: one that says its version,
// and a bridge of a person who has never signed in, up to its first answer and its end.
func (b *bench) cold(ctx context.Context) error {
	program := filepath.Join(b.dir, "payu-mcp")
	for i := range 20 {
		home := []string{"HOME=" + filepath.Join(b.dir, fmt.Sprint("home", i)), "PATH=" + os.Getenv("PATH")}
		cmd := exec.CommandContext(ctx, program, "version")
		cmd.Env = home
		if err := cmd.Run(); err != nil {
			return err
		}
		b.add(msVersion, payu, spent(cmd))
		p, err := spawn(ctx, home, program)
		if err != nil {
			return err
		}
		_, err = p.ask([]byte(initialize))
		if err := errors.Join(err, p.close()); err != nil {
			return err
		}
		b.add(msSignedOut, payu, spent(p.cmd))
	}
	return nil
}
