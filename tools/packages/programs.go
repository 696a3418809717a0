package main

import (
	"context"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// target is a system that there is a program for, in Go's words.
type target struct{ os, arch string }

func targets() []target {
	return []target{
		{"darwin", "amd64"},
		{"darwin", "arm64"},
		{"linux", "amd64"},
		{"linux", "arm64"},
		{"windows", "amd64"},
		{"windows", "arm64"},
	}
}

// file is the name of the program there.
func (t target) file() string {
	if t.os == "windows" {
		return name + ".exe"
	}
	return name
}

// programs are the paths of the built programs.
type programs struct {
	of        map[target]string
	universal string // both kinds of Mac in one file; "" if nobody has made one
}

// build makes the programs as goreleaser does, below the folder -binaries.
func build(ctx context.Context, o options, out io.Writer) error {
	dir, err := filepath.Abs(o.binaries)
	if err != nil {
		return err
	}
	ld := "-s -w -buildid= -X github.com/payu-mcp/payu-mcp/internal/buildinfo.version=v" + o.version
	for _, t := range targets() {
		fmt.Fprintf(out, "building %s/%s\n", t.os, t.arch)
		to := filepath.Join(dir, name+"_"+t.os+"_"+t.arch, t.file())
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", ld, "-o", to, "./cmd/payu-mcp")
		cmd.Dir = o.root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch)
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building for %s/%s: %w\n%s", t.os, t.arch, err, text)
		}
	}
	return nil
}

// find looks for the programs in a folder of goreleaser: NAME_OS_ARCH/NAME, where
// ARCH may go on, as in amd64_v1.
func find(dir string) (programs, error) {
	p := programs{of: map[target]string{}}
	for _, t := range targets() {
		path, err := one(dir, name+"_"+t.os+"_"+t.arch+"*", t.file())
		if err == nil {
			err = t.check(path)
		}
		if err != nil {
			return p, fmt.Errorf("the program for %s/%s: %w", t.os, t.arch, err)
		}
		p.of[t] = path
	}
	// Signed and notarised as one, so it is better than what we put together.
	path := filepath.Join(dir, name+"_darwin_all", name)
	err := checkUniversal(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("the program for every Mac: %w", err)
	}
	p.universal = path
	return p, nil
}

func one(dir, folder, file string) (string, error) {
	pattern := filepath.Join(dir, folder, file)
	found, err := filepath.Glob(pattern)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d files match %s, want one", len(found), pattern)
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// check looks into the file: a program that was packed for another system is
// only noticed by whoever installs it.
func (t target) check(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	arch, err := t.processor(f)
	if err == nil && arch != t.arch {
		err = errors.New("it is for another kind of processor")
	}
	return err
}

// checkUniversal looks whether the file is a program for both kinds of Mac.
func checkUniversal(path string) error {
	f, err := macho.OpenFat(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var kinds []macho.Cpu
	for _, a := range f.Arches {
		kinds = append(kinds, a.Cpu)
	}
	if len(kinds) != 2 || !slices.Contains(kinds, macho.CpuAmd64) || !slices.Contains(kinds, macho.CpuArm64) {
		return fmt.Errorf("it is for %v", kinds)
	}
	return nil
}

// processor is the kind of processor that a program of t's system is for.
func (t target) processor(file io.ReaderAt) (string, error) {
	switch t.os {
	case "darwin":
		f, err := macho.NewFile(file)
		if err != nil {
			return "", err
		}
		return map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[f.Cpu], nil
	case "windows":
		f, err := pe.NewFile(file)
		if err != nil {
			return "", err
		}
		return map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}[f.Machine], nil
	default:
		f, err := elf.NewFile(file)
		if err != nil {
			return "", err
		}
		return map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine], nil
	}
}

// help is the help text of the program.
type help string

// ask runs the program of this computer: the packages are of its version, and
// say what its help says.
func (p programs) ask(ctx context.Context, version string) (help, error) {
	path, ok := p.of[target{runtime.GOOS, runtime.GOARCH}]
	if !ok {
		return "", fmt.Errorf("no program runs on this computer (%s/%s)", runtime.GOOS, runtime.GOARCH)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	says, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return "", fmt.Errorf("asking the program for its version: %w", err)
	}
	if words := strings.Fields(string(says)); len(words) < 2 || strings.TrimPrefix(words[1], "v") != version {
		return "", fmt.Errorf("the program is not of version %s; it says: %s", version, strings.TrimSpace(string(says)))
	}
	text, err := exec.CommandContext(ctx, path, "--help").Output()
	if err != nil {
		return "", fmt.Errorf("asking the program for its help: %w", err)
	}
	return help(text), nil
}

// usage is what the help says of an option, as a sentence. An option that is
// gone is an error: packages would start the program with it.
func (h help) usage(option string) (string, error) {
	line := regexp.MustCompile(`(?m)^ +--` + regexp.QuoteMeta(option) + `(?: \w+)? {2,}(.+?)(?: \(default .*\))?$`).FindStringSubmatch(string(h))
	if line == nil {
		return "", fmt.Errorf("the program's help has no option --%s", option)
	}
	return strings.ToUpper(line[1][:1]) + line[1][1:] + ".", nil
}
