package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// packagesVersion is that of the packages which are made here.
const packagesVersion = "0.0.0-e2e.1"

// made are the packages of tools/packages, made once for all tests. The program
// of this computer is the real one; those of other systems are small, and say
// nothing but whom they are for.
var made = sync.OnceValues(func() (dir string, err error) { // as long as the process lives
	dir = filepath.Join(outDir, "packages")
	return dir, makePackages(dir)
})

func packages(t *testing.T) string {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the bundle has no program for this computer")
	}
	dir, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// makePackages runs the tool twice, into dir and into dir/again, and packs what
// is for npm as `npm publish` does.
func makePackages(dir string) error {
	source := filepath.Join(dir, "empty")
	if err := errors.Join(os.MkdirAll(source, 0o755),
		os.WriteFile(filepath.Join(source, "go.mod"), []byte("module empty\n\ngo 1.26.0\n"), 0o600),
		os.WriteFile(filepath.Join(source, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600)); err != nil {
		return err
	}
	const ld = "-s -w -buildid= -X github.com/payu-mcp/payu-mcp/internal/buildinfo.version=v" + packagesVersion
	for _, system := range []string{"darwin", "linux", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			folder, from, what := source, ".", filepath.Join(dir, "build", "payu-mcp_"+system+"_"+arch, "payu-mcp")
			if system == runtime.GOOS && arch == runtime.GOARCH {
				folder, from = "..", "./cmd/payu-mcp"
			}
			if system == "windows" {
				what += ".exe"
			}
			env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + arch}
			if err := goes(folder, env, "build", "-trimpath", "-ldflags", ld, "-o", what, from); err != nil {
				return err
			}
		}
	}
	for _, out := range []string{dir, filepath.Join(dir, "again")} {
		if err := goes("../tools", nil, "run", "./packages", "-version", "v"+packagesVersion, "-binaries", filepath.Join(dir, "build"), "-out", out); err != nil {
			return err
		}
		if err := pack(filepath.Join(out, "npm"), filepath.Join(out, "tarballs")); err != nil {
			return err
		}
	}
	return nil
}

// pack packs the packages below a folder. The cache is of its own: npm would
// install from it what it has packed.
func pack(folder, to string) error {
	all, err := filepath.Glob(filepath.Join(folder, "@payu-mcp", "*"))
	if err == nil {
		err = os.MkdirAll(to, 0o755)
	}
	if err != nil {
		return err
	}
	args := append([]string{"pack", "--silent", "--offline", "--cache", to + "-cache", "--pack-destination", to}, all...)
	if out, err := exec.Command("npm", append(args, filepath.Join(folder, "payu-mcp"))...).CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack: %w\n%s", err, out)
	}
	return nil
}

// goes runs the go command in a folder.
func goes(dir string, env []string, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
	return nil
}

func bundleFile(dir string) string {
	return filepath.Join(dir, "payu-mcp_"+packagesVersion+".mcpb")
}

func checksum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// checksums are those of the files below a folder, by path.
func checksums(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		found[name] = fmt.Sprint(info.Mode(), checksum(t, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
