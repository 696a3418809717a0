package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// BenchmarkStart is a host's view of a bridge with a stored login, run as the
// built program: from its start to the answer to initialize, and to its end.
func BenchmarkStart(b *testing.B) {
	sb, err := sandbox.Start(b.Context(), sandbox.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer sb.Close()
	program := filepath.Join(b.TempDir(), "payu-mcp")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	home := b.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(b.Context(), program, append(args, "--state-dir", filepath.Join(home, "state"), "--store=file")...)
		cmd.Env = []string{"HOME=" + home, `PAYU_MCP_BROWSER="` + program + `" ` + demoBrowserCommand}
		return cmd
	}
	if out, err := command("login", "--url", sb.Endpoint()).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	b.Run("bridge", func(b *testing.B) { benchmarkLife(b, command) })
	b.Run("version", func(b *testing.B) {
		for b.Loop() { // the floor: what it costs to start a process at all
			if err := exec.CommandContext(b.Context(), program, "version").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmarkLife(b *testing.B, command func(...string) *exec.Cmd) {
	b.Helper()
	var memory float64
	for b.Loop() {
		h, err := startHost(b.Context(), command())
		if err != nil {
			b.Fatal(err)
		}
		params := map[string]any{"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "h", "version": "1"}}
		if _, err := h.ask(b.Context(), "initialize", params); err != nil {
			b.Fatal(err)
		}
		memory = max(memory, residentMiB(h.cmd.Process.Pid))
		if err := h.stop(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(memory, "MiB-resident")
}

// residentMiB is 0 where /proc does not tell.
func residentMiB(pid int) float64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return 0
	}
	kib, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return 0
	}
	return kib / 1024
}
