package redact_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// holder is what a goroutine of ours may have at hand.
type holder struct {
	Name  string
	Token redact.Secret
}

func (h *holder) fail(how string, token redact.Secret, more ...redact.Secret) {
	switch how {
	case "secret":
		panic(token)
	case "struct":
		panic(*h)
	case "pointer":
		panic(h)
	case "slice":
		panic(more)
	case "text":
		panic(fmt.Sprintf("%v %+v %#v %s %q %x", *h, h, *h, token, token, token))
	case "error":
		panic(fmt.Errorf("with %s: %v", token, *h))
	case "index":
		_ = more[len(token)] // the runtime's own panic, with all these in the frames
	}
}

// A panic prints its value and, of each frame, arguments as numbers: neither the
// one nor the other holds a secret, nor does the dump of the other goroutines.
//
//oauth:row X26 internal/redact/secret.go "func (Secret) String() string { return Mark }" => "func (s Secret) String() string { return string(s) }"
//oauth:row X18 internal/redact/secret.go "func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mark)) }" => "func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s)) }"
func TestPanic_inAGoroutine_printsNoSecret(t *testing.T) {
	const variable = "REDACT_TEST_PANIC"
	if how := os.Getenv(variable); how != "" {
		secret := redact.Secret(value)
		h := &holder{"name", secret}
		var g sync.WaitGroup
		g.Go(func() { h.fail(how, secret, secret, secret) })
		g.Wait()
		return
	}
	t.Parallel()
	for _, how := range []string{"secret", "struct", "pointer", "slice", "text", "error", "index"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPanic_inAGoroutine_printsNoSecret$")
		cmd.Env = append(os.Environ(), variable+"="+how, "GOTRACEBACK=all")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "goroutine ") {
			t.Fatalf("%s: no panic: %v, %s", how, err, out)
		}
		if strings.Contains(string(out), value) || strings.Contains(string(out), fmt.Sprintf("%x", value)) {
			t.Errorf("%s: the panic shows the secret: %s", how, out)
		}
	}
}
