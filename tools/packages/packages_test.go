package main

import (
	"archive/zip"
	"bytes"
	"debug/macho"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFlags_version_isSemantic(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"v1.2.3": "1.2.3", "1.2.3": "1.2.3", "v0.1.0-SNAPSHOT-abc1234": "0.1.0-SNAPSHOT-abc1234",
		"": "", "1.2": "", "vv1.2.3": "", "1.2.3+build": "", "devel": "", "1.2.3 ": "",
	} {
		o, err := flags([]string{"-version", given})
		if (err == nil) != (want != "") || err == nil && o.version != want {
			t.Errorf("%q became %q, %v", given, o.version, err)
		}
	}
}

func TestFind_programs_areWhatTheFolderSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(dir string)
		says  string
	}{
		"as it is": {func(string) {}, ""},
		"missing":  {func(dir string) { _ = os.RemoveAll(filepath.Join(dir, "payu-mcp_linux_arm64")) }, "linux/arm64: 0 files match"},
		"twice": {func(dir string) {
			put(t, filepath.Join(dir, "payu-mcp_linux_arm64_v8.0", "payu-mcp"), sample(t, target{"linux", "arm64"}, 0))
		}, "linux/arm64: 2 files match"},
		"another processor": {func(dir string) {
			put(t, filepath.Join(dir, "payu-mcp_windows_arm64", "payu-mcp.exe"), sample(t, target{"windows", "amd64"}, 0))
		}, "windows/arm64: it is for another kind of processor"},
		"another system": {func(dir string) {
			put(t, filepath.Join(dir, "payu-mcp_darwin_arm64", "payu-mcp"), sample(t, target{"linux", "arm64"}, 0))
		}, "darwin/arm64: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := samples(t)
			c.spoil(dir)
			_, err := find(dir)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("find: %v", err)
			}
		})
	}
}

func TestUniversal_bothMacs_inOneFile(t *testing.T) {
	t.Parallel()
	amd, arm := sample(t, target{"darwin", "amd64"}, 1), sample(t, target{"darwin", "arm64"}, 2)
	file, err := universal(amd, arm)
	if err != nil {
		t.Fatal(err)
	}
	f, err := macho.NewFatFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		cpu     macho.Cpu
		program []byte
	}{{macho.CpuAmd64, amd}, {macho.CpuArm64, arm}} {
		a := f.Arches[i]
		if a.Cpu != want.cpu || a.Offset%(1<<14) != 0 || !bytes.Equal(file[a.Offset:a.Offset+a.Size], want.program) {
			t.Errorf("%+v", a.FatArchHeader)
		}
	}
	if _, err := universal(amd, sample(t, target{"linux", "arm64"}, 0)); err == nil {
		t.Error("a program of Linux was taken")
	}
}

func TestUsage_help_becomesSentence(t *testing.T) {
	t.Parallel()
	for option, want := range map[string]string{
		"profile": "Name of the login to use.", "read-only": "Let hosts see (and use) only some tools.", "gone": "", "file": "",
	} {
		got, err := sampleHelp.usage(option)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", option, got, err)
		}
	}
}

func TestBundle_files_modesAndTimes(t *testing.T) {
	t.Parallel()
	r := sampleRelease(t)
	first, second := filepath.Join(t.TempDir(), "a.mcpb"), filepath.Join(t.TempDir(), "b.mcpb")
	for _, path := range []string{first, second} {
		if _, err := r.writeBundle(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(get(t, first), get(t, second)) {
		t.Error("two bundles of the same programs differ")
	}
	z, err := zip.OpenReader(first)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var list strings.Builder
	for _, f := range z.File {
		fmt.Fprintf(&list, "%v %s %s\n", f.Mode(), f.Modified.UTC().Format("2006-01-02"), f.Name)
	}
	const want = `-rw-r--r-- 1980-01-01 manifest.json
-rw-r--r-- 1980-01-01 icon.png
-rw-r--r-- 1980-01-01 LICENSE
-rw-r--r-- 1980-01-01 THIRD-PARTY-LICENSES.txt
-rwxr-xr-x 1980-01-01 server/darwin/payu-mcp
-rwxr-xr-x 1980-01-01 server/linux/payu-mcp
-rwxr-xr-x 1980-01-01 server/win32/payu-mcp.exe
`
	if list.String() != want {
		t.Errorf("the bundle holds\n%s", &list)
	}
	for file, of := range map[string]target{linuxFile: {"linux", "amd64"}, windowsFile: {"windows", "amd64"}} {
		f, err := z.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		if err != nil || !bytes.Equal(data, get(t, r.programs.of[of])) {
			t.Errorf("%s is not the program for %v (%v)", file, of, err)
		}
	}
}

// Who signs and notarises one file for all Macs gets that one into the bundle; one
// that is not for all of them gets into none.
func TestBundle_universalGiven_isTaken(t *testing.T) {
	t.Parallel()
	dir := samples(t)
	arm := sample(t, target{"darwin", "arm64"}, 2)
	signed, err := universal(sample(t, target{"darwin", "amd64"}, 1), append(arm, "signed"...))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "payu-mcp_darwin_all", "payu-mcp")
	put(t, file, signed)
	p, err := find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if mac, err := p.mac(); err != nil || !bytes.Equal(mac, signed) {
		t.Errorf("%d bytes, %v", len(mac), err)
	}
	one, err := universal(arm)
	if err != nil {
		t.Fatal(err)
	}
	for what, data := range map[string][]byte{"for one": one, "thin": arm, "nothing": nil} {
		put(t, file, data)
		if _, err := find(dir); err == nil || !strings.HasPrefix(err.Error(), "the program for every Mac: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestIcon_size_isWhatClaudeDesktopWants(t *testing.T) {
	t.Parallel()
	data, err := icon()
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil || m.Bounds().Dx() != 512 || m.Bounds().Dy() != 512 {
		t.Fatalf("%v, %v", m.Bounds(), err)
	}
	for _, p := range []struct{ x, y, alpha, red int }{{0, 0, 0, 0}, {256, 256, 255, 0x0b}, {200, 184, 255, 255}, {300, 328, 255, 255}} {
		if r, _, _, a := m.At(p.x, p.y).RGBA(); int(a>>8) != p.alpha || int(r>>8) != p.red {
			t.Errorf("%+v: alpha %d, red %d", p, a>>8, r>>8)
		}
	}
}

func TestNPM_packages_fitTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "of-the-last-release", "package.json"), nil)
	if err := sampleRelease(t).writeNPM(dir); err != nil {
		t.Fatal(err)
	}
	read := func(folder string) (p npmPackage, scripts bool) {
		data := get(t, filepath.Join(dir, filepath.FromSlash(folder), "package.json"))
		if err := json.Unmarshal(data, &p); err != nil {
			t.Fatal(err)
		}
		return p, bytes.Contains(data, []byte(`"scripts"`))
	}
	main, scripts := read("payu-mcp")
	if main.MCPName != registryID || main.Version != "1.2.3" || scripts {
		t.Errorf("%+v", main)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "*", "package.json"))
	if err != nil || len(found) != len(main.Optional) || len(found) != 6 {
		t.Errorf("%d packages for %d optional dependencies (%v)", len(found), len(main.Optional), err)
	}
	for folder, version := range main.Optional {
		p, scripts := read(folder)
		if p.Name != folder || p.Version != version || len(p.OS) != 1 || len(p.CPU) != 1 || p.Name != npmScope+p.OS[0]+"-"+p.CPU[0] || scripts {
			t.Errorf("%+v", p)
		}
		if got := get(t, filepath.Join(dir, filepath.FromSlash(folder), "THIRD-PARTY-LICENSES.txt")); string(got) != "of others\n" {
			t.Errorf("%s: the licences of others are %q", folder, got)
		}
		program, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(folder), "bin", "payu-mcp*"))
		if err != nil || len(program) != 1 {
			t.Fatalf("%s: %v, %v", folder, program, err)
		}
		if info, err := os.Stat(program[0]); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", folder, info.Mode(), err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "of-the-last-release")); err == nil {
		t.Error("what was there would be published, too")
	}
}

func TestDescription_registry_limit(t *testing.T) {
	t.Parallel()
	if n := utf8.RuneCountInString(description); n > 100 {
		t.Errorf("it has %d characters, limit 100", n)
	}
}
