package repotest_test

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"
)

// releaseFile is goreleaser's configuration. goreleaser itself takes minutes to
// build; what a change elsewhere can break is looked at here.
const releaseFile = "goreleaser.yaml"

// leaf is one value of a YAML file, with the way to it: builds.0.env.0.
type leaf struct{ at, value string }

func leaves(t *testing.T, tree fs.FS) []leaf {
	t.Helper()
	var content any
	if err := yaml.Unmarshal([]byte(contents(t, tree, releaseFile)), &content); err != nil {
		t.Fatal(err)
	}
	return under("", content)
}

func under(at string, v any) []leaf {
	var found []leaf
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			found = append(found, under(at+"."+key, v[key])...)
		}
	case []any:
		for i, item := range v {
			found = append(found, under(fmt.Sprint(at, ".", i), item)...)
		}
	default:
		return []leaf{{strings.TrimPrefix(at, "."), fmt.Sprint(v)}}
	}
	return found
}

// values are those whose way matches a pattern with * for one step.
func values(all []leaf, pattern string) []string {
	var found []string
	for _, l := range all {
		if ok, _ := path.Match(strings.ReplaceAll(pattern, ".", "/"), strings.ReplaceAll(l.at, ".", "/")); ok {
			found = append(found, l.value)
		}
	}
	return found
}

// releaseTimes finds what would be different in two builds: a file that is packed
// with the time of its making.
func releaseTimes(t *testing.T, tree fs.FS) []string {
	t.Helper()
	all := leaves(t, tree)
	var breaches []string
	for _, same := range []struct{ each, has string }{
		{"builds.*.id", "builds.*.mod_timestamp"},
		{"universal_binaries.*.id", "universal_binaries.*.mod_timestamp"},
		{"archives.*.id", "archives.*.builds_info.mtime"},
		{"archives.*.files.*.src", "archives.*.files.*.info.mtime"},
		{"nfpms.*.id", "nfpms.*.mtime"},
		{"nfpms.*.contents.*.src", "nfpms.*.contents.*.file_info.mtime"},
	} {
		each, has := values(all, same.each), values(all, same.has)
		if len(each) == 0 || len(has) != len(each) || slices.ContainsFunc(has, func(v string) bool { return !strings.Contains(v, ".Commit") }) {
			breaches = append(breaches, fmt.Sprintf("%s: %d times %s, and %s %q: want the commit's time for each", releaseFile, len(each), same.each, same.has, has))
		}
	}
	flags := strings.Join(slices.Concat(values(all, "builds.*.flags.*"), values(all, "builds.*.env.*"), values(all, "builds.*.ldflags.*")), " ")
	for _, flag := range []string{"-trimpath", "-buildvcs=false", "CGO_ENABLED=0", "-buildid="} {
		if !strings.Contains(flags, flag) {
			breaches = append(breaches, releaseFile+" builds without "+flag)
		}
	}
	return breaches
}

// releasePaths finds files that are packed or started and are neither in the tree
// nor made by tools/release/extras.
func releasePaths(t *testing.T, tree fs.FS) []string {
	t.Helper()
	all := leaves(t, tree)
	made := contents(t, tree, "tools/release/extras")
	hooks := slices.Concat(values(all, "before.hooks.*"), values(all, "builds.*.hooks.post.*"), values(all, "sboms.*.cmd"))
	files := slices.Concat(values(all, "archives.*.files.*.src"), values(all, "nfpms.*.contents.*.src"))
	for _, h := range hooks {
		if script, _, _ := strings.Cut(strings.TrimPrefix(h, "../"), " "); strings.Contains(script, "/") {
			files = append(files, script)
		}
	}
	var breaches []string
	for _, f := range slices.Compact(slices.Sorted(slices.Values(files))) {
		name, isMade := strings.CutPrefix(f, "tools/release/out/")
		folder, _, _ := strings.Cut(name, "*")
		_, err := fs.Stat(tree, f)
		if isMade && !strings.Contains(made, "$out/"+strings.TrimSuffix(folder, ".gz")) && !strings.Contains(made, `"$out"/`+folder) || !isMade && err != nil {
			breaches = append(breaches, fmt.Sprintf("%s: nothing makes %s", releaseFile, f))
		}
	}
	return breaches
}

// releaseIdentities finds what would be uploaded, or fail, where an identity is
// not set, and a release that is out before a person has looked at it.
func releaseIdentities(t *testing.T, tree fs.FS) []string {
	t.Helper()
	all := leaves(t, tree)
	var breaches []string
	for _, at := range []string{"notarize.macos.*.enabled", "homebrew_casks.*.skip_upload", "scoops.*.skip_upload", "winget.*.skip_upload"} {
		if v := values(all, at); len(v) != 1 || !strings.Contains(v[0], "isEnvSet") {
			breaches = append(breaches, fmt.Sprintf("%s: %s is %q, want it to ask isEnvSet", releaseFile, at, v))
		}
	}
	if v := values(all, "release.draft"); !slices.Equal(v, []string{"true"}) {
		breaches = append(breaches, releaseFile+": the release is no draft")
	}
	known := contents(t, tree, "RELEASING.md")
	for _, m := range regexp.MustCompile(`(?:isEnvSet|envOrDefault) "(\w+)"`).FindAllStringSubmatch(contents(t, tree, releaseFile), -1) {
		if !strings.Contains(known, "`"+m[1]+"`") {
			breaches = append(breaches, "RELEASING.md does not say what "+m[1]+" is")
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(breaches)))
}

// releaseManifests finds lists for Homebrew, Scoop and winget that people would
// get before the files that they name, and a cask of programs that macOS refuses.
func releaseManifests(t *testing.T, tree fs.FS) []string {
	t.Helper()
	all := leaves(t, tree)
	var breaches []string
	for _, list := range []string{"homebrew_casks", "scoops", "winget"} {
		pull := list + ".*.repository.pull_request."
		if own := values(all, list+".*.repository.branch"); len(own) != 1 || !slices.Equal(slices.Concat(values(all, pull+"enabled"), values(all, pull+"draft")), []string{"true", "true"}) {
			breaches = append(breaches, fmt.Sprintf("%s: %s is uploaded while the release is a draft: want a pull request", releaseFile, list))
		}
	}
	asked := strings.Join(values(all, "homebrew_casks.*.skip_upload"), "")
	for _, at := range []string{"sign.certificate", "sign.password", "notarize.issuer_id", "notarize.key_id", "notarize.key"} {
		for _, v := range values(all, "notarize.macos.*."+at) {
			if name := envOrDefault.FindStringSubmatch(v); name == nil || !strings.Contains(asked, `(isEnvSet "`+name[1]+`")`) {
				breaches = append(breaches, fmt.Sprintf("%s: the cask is uploaded without %s, which is %s", releaseFile, at, v))
			}
		}
	}
	return breaches
}

var envOrDefault = regexp.MustCompile(`envOrDefault "(\w+)"`)

// releaseVariables finds variables that the linker is told to set and that are
// not there; it says nothing of it.
func releaseVariables(t *testing.T, tree fs.FS) []string {
	t.Helper()
	set := regexp.MustCompile(`-X `+regexp.QuoteMeta(module)+`/(\S+)\.(\w+)=`).FindAllStringSubmatch(contents(t, tree, releaseFile), -1)
	var breaches []string
	for _, m := range set {
		there := slices.ContainsFunc(sources(t, tree), func(s source) bool {
			return s.dir() == m[1] && regexp.MustCompile(`(?m)^var (\w+, )*`+m[2]+`(, \w+)* string$`).MatchString(s.text)
		})
		if !there {
			breaches = append(breaches, fmt.Sprintf("%s sets %s in %s, where it is not", releaseFile, m[2], m[1]))
		}
	}
	if len(set) == 0 {
		breaches = append(breaches, releaseFile+" sets no version")
	}
	return breaches
}

// releaseOrder: goreleaser puts the halves of the universal program for Macs one
// after the other as they come, so that only one may be built at a time.
func releaseOrder(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	for _, script := range []string{"tools/release/snapshot", "tools/release/release"} {
		if b, err := fs.ReadFile(tree, script); err != nil || !strings.Contains(string(b), " --parallelism=1") {
			breaches = append(breaches, script+" builds in an order that is by chance")
		}
	}
	for _, p := range pages(t, tree) {
		if strings.Contains(contents(t, tree, p.path), "goreleaser release") {
			breaches = append(breaches, p.path+" starts goreleaser without the scripts, in an order that is by chance")
		}
	}
	return breaches
}

const badRelease = `
builds:
  - id: a
    flags: [-trimpath]
    ldflags: [-X github.com/payu-mcp/payu-mcp/internal/buildinfo.typo=1]
    mod_timestamp: "{{ .CommitTimestamp }}"
    hooks: {post: [tools/release/gone it, go vet]}
universal_binaries: [{id: a}]
archives:
  - id: a
    builds_info: {mtime: "{{ .CommitDate }}"}
    files: [{src: LICENSE, info: {mtime: "{{ .Now }}"}}, {src: tools/release/out/none/*, info: {mtime: "{{ .CommitDate }}"}}]
nfpms: [{id: a, mtime: "{{ .CommitDate }}", contents: [{src: LICENSE, file_info: {mtime: "{{ .CommitDate }}"}}, {src: LICENSE}]}]
notarize: {macos: [{enabled: '{{ isEnvSet "KNOWN" }}', sign: {certificate: '{{ envOrDefault "KNOWN" "" }}'}}]}
homebrew_casks: [{skip_upload: true}]
scoops: [{skip_upload: '{{ isEnvSet "UNKNOWN" }}'}]
winget: [{skip_upload: auto, repository: {branch: b, pull_request: {enabled: true, draft: true}}}]
release: {draft: false}
`

func badReleaseTree() fstest.MapFS {
	return fstest.MapFS{
		releaseFile: text(badRelease), "LICENSE": text("x"), "RELEASING.md": text("`KNOWN`\n```\ntools/release/goreleaser release\n```\n"),
		"tools/release/extras":    text(`mkdir "$out/man"`),
		"internal/buildinfo/b.go": text("package buildinfo\n\nvar version string\n"),
	}
}

func TestRelease_everyFile_hasTheCommitsTime(t *testing.T) {
	t.Parallel()
	holds(t, releaseTimes, badReleaseTree(), 6)
}

func TestRelease_everyPath_isThere(t *testing.T) {
	t.Parallel()
	holds(t, releasePaths, badReleaseTree(), 2)
}

func TestRelease_noIdentity_nothingIsUploaded(t *testing.T) {
	t.Parallel()
	holds(t, releaseIdentities, badReleaseTree(), 4)
}

func TestRelease_manifests_waitForTheRelease(t *testing.T) {
	t.Parallel()
	holds(t, releaseManifests, badReleaseTree(), 3)
}

func TestRelease_variables_exist(t *testing.T) {
	t.Parallel()
	holds(t, releaseVariables, badReleaseTree(), 1)
}

func TestRelease_builds_areInOrder(t *testing.T) {
	t.Parallel()
	holds(t, releaseOrder, badReleaseTree(), 3)
}
