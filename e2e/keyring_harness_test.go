package e2e

import "testing"

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
