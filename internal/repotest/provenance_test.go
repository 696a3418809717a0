package repotest_test

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
)

const releaseWorkflow = ".github/workflows/release.yml"

// provenance finds what a release would not prove: files without a bill of
// materials, without a signed checksum, or without an attestation of the commit
// and workflow that they come from.
func provenance(t *testing.T, tree fs.FS) []string {
	t.Helper()
	all := leaves(t, tree)
	var breaches []string
	for _, kind := range []string{"archive", "package", "binary", "source"} {
		if !slices.Contains(values(all, "sboms.*.artifacts"), kind) {
			breaches = append(breaches, releaseFile+": no bill of materials for each "+kind)
		}
	}
	if sums := values(all, "checksum.name_template"); !slices.Equal(sums, []string{"checksums.txt"}) || !slices.Contains(values(all, "signs.*.artifacts"), "checksum") {
		breaches = append(breaches, fmt.Sprintf("%s: the checksums are in %q, want checksums.txt, signed", releaseFile, sums))
	}
	for name, job := range workflows(t, tree)[releaseWorkflow].Jobs {
		for _, s := range job.Steps {
			if s.With["subject-checksums"] != "dist/checksums.txt" {
				continue
			}
			for _, right := range []string{"id-token", "attestations", "contents"} {
				if job.Permissions[right] != "write" {
					breaches = append(breaches, fmt.Sprintf("%s: job %s attests and may not write %s", releaseWorkflow, name, right))
				}
			}
			return breaches
		}
	}
	return append(breaches, releaseWorkflow+": nothing attests what is in dist/checksums.txt")
}

//oauth:row X30 - "it reads goreleaser.yaml and the release workflow as they lie there, which give each file of a release a checksum that is signed, a bill of materials and an attestation; the same rule finds the breaches of bad samples in the same test"
func TestProvenance_everyFileOfARelease(t *testing.T) {
	t.Parallel()
	holds(t, provenance, fstest.MapFS{
		releaseFile:     text("sboms: [{artifacts: archive}, {artifacts: package}, {artifacts: binary}]\nchecksum: {name_template: checksums.txt}\nsigns: [{artifacts: archive}]\n"),
		releaseWorkflow: text("jobs:\n  a:\n    permissions: {contents: write, attestations: write}\n    steps:\n      - with: {subject-checksums: dist/checksums.txt}\n"),
	}, 3)
	holds(t, provenance, fstest.MapFS{releaseFile: text("checksum: {name_template: sums.txt}\n"), releaseWorkflow: text("jobs: {}\n")}, 6)
}
