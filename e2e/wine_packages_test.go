package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// runTests runs tests that were built for Windows and wants some to have passed.
func (v *windows) runTests(t *testing.T, name, pkg, skip string, must ...string) {
	t.Helper()
	w := v.world(t)
	w.setenv("PAYU_MCP_TEST_KEYCHAIN", "real")
	r := v.run(w, filepath.Join("..", pkg), v.exe(name), "-test.v", "-test.skip", skip)
	if r.code != 0 {
		t.Errorf("exit code %d:", r.code)
		for line := range strings.Lines(r.stdout + r.stderr) {
			if !strings.Contains(line, "=== ") && !strings.Contains(line, "--- PASS") {
				t.Log(line)
			}
		}
	}
	for _, m := range must {
		if !strings.Contains(r.stdout, "--- PASS: "+m+" ") {
			t.Errorf("%s did not run", m)
		}
	}
}

func (v *windows) keychainTests(t *testing.T) {
	// Left out: tests that start many processes, of which Wine makes two in a
	// second; one that names a full disk as only Unix does; one with a link, which
	// Wine follows without a word.
	const out = "writerKilled|otherProcessWrites|sameRecordManyTimes|diskFull_keptInMemoryAndTold|linkPlanted"
	v.runTests(t, "keychain.test", "keychain", out, "TestUpdate_manyProcesses_noLostUpdate",
		"TestSystemKeychain_login_readByAnotherProcessThenGone", "TestSystemKeychain_manyAtOnce_oneKey", "TestSystemKeychain_noItem_isNoFault",
		"TestUpdate_holderKilled_lockComesAtOnce", "TestUpdate_cancelWhileWaiting_endsSoon", "TestPrepare_twoProcessesAtOnce_oneKey", "TestClaim_holderKilled_freeAtOnce")
}

func (v *windows) fileTests(t *testing.T) {
	v.runTests(t, "atomicfile.test", "internal/atomicfile", "^$", "TestWrite_newAndOldFile_replacedNothingLeft", "TestWrite_manyAtOnce_oneWholeContent")
	// Left out: processes that append to one log at once. Windows appends in one step
	// for a handle that may do nothing else; Wine 8.0 asks for the size and then
	// writes there (strace: fstat, pwrite64), so that a few lines in 800 are lost.
	v.runTests(t, "logfile.test", "internal/logfile", "fourProcesses", "TestRotate_cannotBe_growsToALimit", "TestFollow_overRotations_eachLineOnce")
}
