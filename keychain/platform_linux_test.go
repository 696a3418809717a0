package keychain

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// The texts of go-keyring and of D-Bus services, and what a person is told.
func TestPlatformError_knownTexts_classified(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want fault
	}{
		"no prompter":     {errors.New("failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'"), faultLocked},
		"locked":          {errors.New("Cannot create an item in a locked collection"), faultLocked},
		"no service":      {errors.New("The name org.freedesktop.secrets was not provided by any .service files"), faultAbsent},
		"no collection":   {errors.New("No such object path '/org/freedesktop/secrets/aliases/default'"), faultAbsent},
		"no socket":       {fmt.Errorf("dial unix /x: %w", syscall.ENOENT), faultAbsent},
		"nobody listens":  {fmt.Errorf("dial unix /x: %w", syscall.ECONNREFUSED), faultAbsent},
		"something else":  {errors.New("secret attribute hunter2"), faultRefused},
		"service crashed": {errors.New("Message recipient disconnected from message bus without replying"), faultRefused},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := classify(osError(tt.err))
			text, _ := describe(tt.want)
			if !errors.Is(err, ErrUnavailable) || !strings.HasSuffix(err.Error(), text) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %q", err, text)
			}
		})
	}
}
