package auth

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// Check tells whether a page could be opened here: there is a person's desktop, and
// a program that opens addresses. Nothing is opened. It may ask the user's service
// manager, for a second at most.
func (o Opener) Check(ctx context.Context) error {
	if _, err := o.environment(ctx); err != nil {
		return err
	}
	own := splitCommand(o.Getenv(OpenerEnv))
	if len(own) > 0 {
		if _, err := exec.LookPath(own[0]); err != nil {
			return hint.With(fmt.Errorf("%w: the program of %s is not found", ErrNoBrowser, OpenerEnv), "correct or unset "+OpenerEnv)
		}
		return nil
	}
	if !anyOpener() {
		return hint.With(fmt.Errorf("%w: no program that opens addresses is installed", ErrNoBrowser),
			"install xdg-utils, or name a program with "+OpenerEnv+"; until then open the printed address by hand, or use payu-mcp login --no-browser")
	}
	return nil
}
