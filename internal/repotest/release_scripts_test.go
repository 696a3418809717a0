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

// step is the script of one step of the release workflow, by its name.
func step(t *testing.T, job, name string) string {
	t.Helper()
	for _, s := range workflows(t, os.DirFS("../.."))[".github/workflows/release.yml"].Jobs[job].Steps {
		if s.Name == name {
			return s.Run
		}
	}
	t.Fatalf("job %s has no step %q", job, name)
	return ""
}

// npmStub has nothing published yet, and writes down what it is to publish.
const npmStub = `#!/bin/bash
case $1 in
config) echo https://registry.example/ ;;
view) exit 1 ;;
publish) [[ -x $(echo "${@: -1}"/bin/*) ]] && echo "$@" ;;
esac
`

func publishesNPM(t *testing.T, version string, environment ...string) (string, error) {
	t.Helper()
	dir := put(t, map[string]string{
		"bin/npm":                                  npmStub,
		"packages/npm/payu-mcp/package.json":       `{"name": "payu-mcp", "version": "` + version + `"}`,
		"packages/npm/payu-mcp/bin/payu-mcp.js":    "",
		"packages/npm/@payu-mcp/x-rc/package.json": `{"name": "@payu-mcp/x-rc", "version": "` + version + `"}`,
		"packages/npm/@payu-mcp/x-rc/bin/payu-mcp": "",
	})
	return shell(t, dir, "chmod -x packages/npm/*/bin/* packages/npm/@*/*/bin/*\n"+step(t, "publish", "npm"), environment...)
}

func TestReleaseScripts_npm_platformsFirstAndPreReleasesAside(t *testing.T) {
	t.Parallel()
	for version, tag := range map[string]string{"1.2.0": "latest", "1.2.0-rc1": "next"} {
		out, err := publishesNPM(t, version, "TRUSTED=true")
		each := "publish --provenance --access public --tag " + tag + " ./packages/npm/"
		if want := each + "@payu-mcp/x-rc\n" + each + "payu-mcp\n"; err != nil || out != want {
			t.Errorf("%s: npm was told %q, want %q (%v)", version, out, want, err)
		}
	}
}

func TestReleaseScripts_npmWithoutIdentity_nothing(t *testing.T) {
	t.Parallel()
	if out, err := publishesNPM(t, "1.2.0", "NPM_TOKEN=", "TRUSTED="); err != nil || strings.Contains(out, "publish --") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestReleaseScripts_draftStillADraftOrAnother_nothingIsPublished(t *testing.T) {
	t.Parallel()
	const curlStub = "#!/bin/bash\n[[ ${@: -1} == https://example.com/out ]] && echo bundle >bundle.mcpb\n"
	entry := func(kind, sum, address string) string {
		return `{"packages": [{"registryType": "npm"}, {"registryType": "` + kind + `", "fileSha256": "` + sum + `", "identifier": "` + address + `"}]}`
	}
	const right = "ef17b7d320f2acc023f2018dab381827ba22f9d01b6c4c97894e1bbfe4928313"
	for name, c := range map[string]struct {
		entry string
		ok    bool
	}{
		"published":  {entry("mcpb", right, "https://example.com/out"), true},
		"draft":      {entry("mcpb", right, "https://example.com/draft"), false},
		"another":    {entry("mcpb", strings.Repeat("0", 64), "https://example.com/out"), false},
		"no bundle":  {entry("oci", right, "https://example.com/out"), false},
		"not a JSON": {"", false},
	} {
		dir := put(t, map[string]string{"bin/curl": curlStub, "packages/server.json": c.entry})
		out, err := shell(t, dir, step(t, "publish", "the draft was published, and its bundle is the one of the registry's entry"))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v, %s", name, err, out)
		}
	}
}
