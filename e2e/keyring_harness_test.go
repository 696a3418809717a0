package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

func TestHarness_keyring_storesUnlockedRefusesLocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startBus()
	k := w.startKeyring(true)
	r := w.run("sh", "-c", "printf key | secret-tool store --label=x service payu-mcp account a")
	w.must(r, 0)
	if n := w.keys(); n != 1 {
		t.Errorf("%d keys, want 1", n)
	}
	k.stop()
	w.startKeyring(false)
	if r := w.run("sh", "-c", "printf key | timeout 10 secret-tool store --label=x service payu-mcp account b"); r.code == 0 {
		t.Error("a locked keyring took a key")
	}
}

// The keychain's own tests, with a real keyring. The hosted checks run the same ones
// on macOS and Windows.
func TestHarness_keyring_keychainTestsPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startBus()
	w.startKeyring(true)
	tests := w.path("keychain.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", tests, "./keychain")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the tests: %v\n%s", err, out)
	}
	w.setenv("PAYU_MCP_TEST_KEYCHAIN", "real")
	r := w.must(w.run(tests, "-test.v", "-test.run", "TestSystemKeychain"), 0)
	if passed := strings.Count(r.stdout, "--- PASS: TestSystemKeychain"); passed != 4 || strings.Contains(r.stdout, "--- SKIP") {
		t.Errorf("%d tests passed, want 4:\n%s", passed, r.stdout)
	}
	if n := w.keys(); n != 0 {
		t.Errorf("the tests left %d keys", n)
	}
}
