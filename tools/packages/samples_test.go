package main

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// sample is the smallest file that is a program for t; its last byte is mark.
func sample(t *testing.T, of target, mark byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var parts []any
	arm := of.arch == "arm64"
	switch of.os {
	case "darwin":
		h := macho.FileHeader{Magic: macho.Magic64, Cpu: macho.CpuAmd64, SubCpu: 3, Type: macho.TypeExec}
		if arm {
			h.Cpu, h.SubCpu = macho.CpuArm64, 0
		}
		parts = []any{h, uint32(0)}
	case "windows":
		dos := [96]byte{0: 'M', 1: 'Z', 0x3c: 96}
		h := pe.FileHeader{Machine: pe.IMAGE_FILE_MACHINE_AMD64}
		if arm {
			h.Machine = pe.IMAGE_FILE_MACHINE_ARM64
		}
		parts = []any{dos, [4]byte{'P', 'E'}, h}
	default:
		h := elf.Header64{
			Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Ehsize: 64,
		}
		if arm {
			h.Machine = uint16(elf.EM_AARCH64)
		}
		parts = []any{h}
	}
	for _, part := range append(parts, mark) {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// samples writes a program for each target, in the folders of goreleaser.
func samples(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i, of := range targets() {
		folder := name + "_" + of.os + "_" + of.arch
		if of.arch == "amd64" {
			folder += "_v1"
		}
		put(t, filepath.Join(dir, folder, of.file()), sample(t, of, byte(i)))
	}
	return dir
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := write(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const sampleHelp = help(`Flags:
      --log-file payu-mcp logs   append the log to this file
      --profile string           name of the login to use (default "default")
      --read-only                let hosts see (and use) only some tools
`)

func sampleRelease(t *testing.T) release {
	t.Helper()
	p, err := find(samples(t))
	if err != nil {
		t.Fatal(err)
	}
	return release{version: "1.2.3", programs: p, help: sampleHelp, licences: []text{{"LICENSE", []byte("ours\n")}, {"THIRD-PARTY-LICENSES.txt", []byte("of others\n")}}}
}
