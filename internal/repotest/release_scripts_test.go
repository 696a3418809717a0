package repotest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The scripts of a release, run with programs in place of goreleaser, npm and curl
// that write down how they were called.

// shell runs a script in dir as the hosted runners do, with nothing in the
// environment but what is given, and returns what it printed.
func shell(t *testing.T, dir, script string, environment ...string) (string, error) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a release is made on Linux")
	}
	for _, needed := range []string{"bash", "git", "jq", "awk"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir,
		"GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.com", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.com"}, environment...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// put writes programs and texts into a new folder, by their path.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tagged is a repository whose only commit has a release candidate's tag, too.
const tagged = "git init -q && git add . && git commit -qm x && git tag v1.2.0 && git tag v1.2.0-rc1 && git tag nightly\n"

// released runs tools/release/release for a tag and returns what goreleaser was told.
func released(t *testing.T, tag string, args ...string) (string, error) {
	t.Helper()
	dir := put(t, map[string]string{
		"tools/release/release":    contents(t, os.DirFS("../.."), "tools/release/release"),
		"tools/release/goreleaser": "#!/bin/bash\necho \"tag $GORELEASER_CURRENT_TAG\"\nfor a; do case $a in --release-notes=*) cat \"${a#*=}\";; *) echo \"$a\"; esac; done\n",
		"CHANGELOG.md":             "# Changes\n\n## [Unreleased]\n\nlater\n\n## [1.2.0] - 2026-12-01\n\nnew\n\n## [1.2.0-rc1] - 2026-11-01\n\nfirst\n\n[1.2.0]: https://example.com\n",
	})
	return shell(t, dir, tagged+"tools/release/release "+strings.Join(args, " "), "GITHUB_REF_NAME="+tag)
}

func TestReleaseScripts_twoTagsOfOneCommit_theOneThatWasPushed(t *testing.T) {
	t.Parallel()
	for tag, notes := range map[string]string{"v1.2.0": "new", "v1.2.0-rc1": "first"} {
		out, err := released(t, tag, "--skip=publish")
		if want := "tag " + tag + "\nrelease\n--clean\n--parallelism=1\n\n" + notes + "\n\n--skip=publish\n"; err != nil || out != want {
			t.Errorf("%s: goreleaser was told %q, want %q (%v)", tag, out, want, err)
		}
	}
}

func TestReleaseScripts_noReleaseTag_refused(t *testing.T) {
	t.Parallel()
	for tag, why := range map[string]string{"nightly": "not the tag of a release", "v1.2.0-rc.1": "not the tag of a release", "v1.3.0": "CHANGELOG.md has no part"} {
		if out, err := released(t, tag); err == nil || !strings.Contains(out, why) {
			t.Errorf("%s: %v, %s, want %q", tag, err, out, why)
		}
	}
}
