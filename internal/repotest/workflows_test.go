package repotest_test

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"
)

// workflow is what the rules look at in a file of .github/workflows.
type workflow struct {
	Permissions map[string]string
	Defaults    struct{ Run struct{ Shell string } }
	Jobs        map[string]struct {
		Permissions map[string]string
		Timeout     int `yaml:"timeout-minutes"`
		Environment string
		Steps       []struct {
			Name, Uses, Run string
			With            map[string]string
		}
		Strategy struct {
			Matrix struct{ Go []string }
		}
	}
}

// workflows reads every workflow of tree, by its path.
func workflows(t *testing.T, tree fs.FS) map[string]workflow {
	t.Helper()
	files, err := fs.Glob(tree, ".github/workflows/*")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]workflow{}
	for _, file := range files {
		var w workflow
		if err := yaml.Unmarshal([]byte(contents(t, tree, file)), &w); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		found[file] = w
	}
	return found
}

var (
	uses   = regexp.MustCompile(`(?m)^\s*(?:- )?(?:uses|image): *(.*)$`)
	pinned = regexp.MustCompile(`^([\w./-]+@[0-9a-f]{40}) # v\d+\.\d+\.\d+$|^[\w./-]+@sha256:[0-9a-f]{64} # \w+$`)
)

// actionPins finds actions and images that somebody else could exchange: a tag is
// moved at will, a hash is not. The comment is for people, and for Dependabot.
func actionPins(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	versions := map[string]string{}
	for file := range workflows(t, tree) {
		for _, m := range uses.FindAllStringSubmatch(contents(t, tree, file), -1) {
			if !pinned.MatchString(m[1]) {
				breaches = append(breaches, file+": not pinned by its hash, with the version: "+m[1])
			}
			name, _, _ := strings.Cut(m[1], "@")
			if was, ok := versions[name]; ok && was != m[1] {
				breaches = append(breaches, fmt.Sprintf("%s: %s is %s elsewhere", file, m[1], was))
			}
			versions[name] = m[1]
		}
	}
	return breaches
}

// leastRights finds workflows that may do more than they need, or that a stranger's
// pull request could make do something: scripts have values from the environment,
// not pasted into their text.
func leastRights(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	for file, w := range workflows(t, tree) {
		breach := func(format string, args ...any) {
			breaches = append(breaches, file+": "+fmt.Sprintf(format, args...))
		}
		if w.Permissions == nil || len(w.Permissions) > 0 {
			breach("permissions are not {}")
		}
		if w.Defaults.Run.Shell != "bash" {
			breach("defaults.run.shell is not bash: without it the end of a pipe alone decides whether a step failed")
		}
		for _, event := range []string{"pull_request_target", "workflow_run"} {
			if strings.Contains(contents(t, tree, file), event) {
				breach("%s runs a stranger's code with our rights", event)
			}
		}
		for name, job := range w.Jobs {
			if len(job.Permissions) == 0 || job.Timeout == 0 {
				breach("job %s has no permissions or no timeout-minutes of its own", name)
			}
			for scope, right := range job.Permissions {
				if right == "write" && (path.Base(file) != "release.yml" || job.Environment == "") {
					breach("job %s may write %s, and no maintainer was asked", name, scope)
				}
			}
			for _, step := range job.Steps {
				if strings.Contains(step.Run, "${{") {
					breach("job %s pastes a value into a script: %s", name, step.Run)
				}
				if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != "false" {
					breach("job %s leaves the token in the work tree", name)
				}
			}
		}
	}
	return breaches
}

var goLine = regexp.MustCompile(`(?m)^go (\S+)$`)

// goVersions finds a matrix without the oldest Go that go.mod allows, or without
// the newest.
func goVersions(t *testing.T, tree fs.FS) []string {
	t.Helper()
	floor := goLine.FindStringSubmatch(contents(t, tree, "go.mod"))
	if floor == nil {
		return []string{"go.mod has no go line"}
	}
	want := floor[1] + " stable"
	for file, w := range workflows(t, tree) {
		for name, job := range w.Jobs {
			if got := strings.Join(job.Strategy.Matrix.Go, " "); got != "" && got != want {
				return []string{fmt.Sprintf("%s: job %s runs with Go %s, want %s", file, name, got, want)}
			}
		}
	}
	return nil
}

// unwatched finds modules and npm packages that Dependabot does not look at.
func unwatched(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var config struct {
		Updates []struct {
			Kind        string `yaml:"package-ecosystem"`
			Directories []string
			Cooldown    struct {
				Days int `yaml:"default-days"`
			}
		}
	}
	if err := yaml.Unmarshal([]byte(contents(t, tree, ".github/dependabot.yml")), &config); err != nil {
		return []string{err.Error()}
	}
	all, err := paths(tree)
	if err != nil {
		t.Fatal(err)
	}
	watched := func(kind, dir string) bool {
		for _, u := range config.Updates {
			for _, pattern := range u.Directories {
				if ok, _ := path.Match(pattern, dir); ok && u.Kind == kind && u.Cooldown.Days > 0 {
					return true
				}
			}
		}
		return false
	}
	kinds := map[string]string{"go.mod": "gomod", "package-lock.json": "npm"}
	var breaches []string
	for _, p := range all {
		if kind, ok := kinds[path.Base(p)]; ok && !watched(kind, path.Join("/", path.Dir(p))) {
			breaches = append(breaches, ".github/dependabot.yml does not watch "+p)
		}
	}
	return breaches
}

func TestWorkflows_actions_arePinned(t *testing.T) {
	t.Parallel()
	const hash = "0123456789012345678901234567890123456789"
	holds(t, actionPins, fstest.MapFS{".github/workflows/a.yml": text("jobs:\n  a:\n    container:\n      image: debian:12\n    steps:\n" +
		"      - uses: a/b@v1\n      - uses: a/c@" + hash + "\n      - uses: a/d@" + hash + " # v1.2.3\n      - uses: a/d@" + strings.Repeat("1", 40) + " # v1.2.4\n")}, 4)
}

func TestWorkflows_rights_areTheLeast(t *testing.T) {
	t.Parallel()
	holds(t, leastRights, fstest.MapFS{
		".github/workflows/a.yml": text("defaults: {run: {shell: bash}}\non: pull_request_target\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@x\n      - run: echo ${{ github.event.issue.title }}\n"),
		".github/workflows/b.yml": text("permissions: {}\njobs:\n  a:\n    timeout-minutes: 1\n    permissions:\n      id-token: write\n"),
		".github/workflows/c.yml": text("permissions:\n  contents: read\n"),
		".github/workflows/release.yml": text("permissions: {}\njobs:\n" +
			"  a:\n    timeout-minutes: 1\n    permissions:\n      contents: write\n" +
			"  b:\n    timeout-minutes: 1\n    environment: release\n    permissions:\n      contents: write\n"),
	}, 11)
}

func TestWorkflows_goVersions_oldestAndNewest(t *testing.T) {
	t.Parallel()
	holds(t, goVersions, fstest.MapFS{
		"go.mod":                  text("module m\n\ngo 1.26.0\n"),
		".github/workflows/a.yml": text("jobs:\n  a:\n    strategy:\n      matrix:\n        go: ['1.25.0', stable]\n"),
	}, 1)
}

func TestDependabot_everyModule_isWatched(t *testing.T) {
	t.Parallel()
	holds(t, unwatched, fstest.MapFS{
		".github/dependabot.yml": text("updates:\n  - package-ecosystem: gomod\n    directories: [/, /a/*]\n    cooldown: { default-days: 7 }\n"),
		"go.mod":                 text("module m\n"), "a/b/go.mod": text("module b\n"),
		"c/go.mod": text("module c\n"), "d/package-lock.json": text("{}\n"),
	}, 2)
}
