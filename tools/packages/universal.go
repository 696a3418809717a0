package main

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"errors"
	"os"
)

// pageBits is how a program in a universal file is aligned: pages of 16 KiB.
const pageBits = 14

// universal puts programs for different kinds of Mac into one file (mach-o/fat.h:
// a header and one entry for each, big endian). Each keeps the signature that
// the linker gave it.
func universal(thin ...[]byte) ([]byte, error) {
	const headerSize, entrySize = 8, 20
	head := binary.BigEndian.AppendUint32(nil, macho.MagicFat)
	head = binary.BigEndian.AppendUint32(head, uint32(len(thin)))
	end := headerSize + entrySize*len(thin)
	starts := make([]int, 0, len(thin))
	for _, program := range thin {
		f, err := macho.NewFile(bytes.NewReader(program))
		if err != nil {
			return nil, err
		}
		start := (end + 1<<pageBits - 1) >> pageBits << pageBits
		end = start + len(program)
		if end >= 1<<31 {
			return nil, errors.New("the programs are too large for one file")
		}
		for _, v := range []uint32{uint32(f.Cpu), f.SubCpu, uint32(start), uint32(len(program)), pageBits} {
			head = binary.BigEndian.AppendUint32(head, v)
		}
		starts = append(starts, start)
	}
	file := make([]byte, end)
	copy(file, head)
	for i, program := range thin {
		copy(file[starts[i]:], program)
	}
	return file, nil
}

// mac is the program that runs on every Mac.
func (p programs) mac() ([]byte, error) {
	if p.universal != "" {
		return os.ReadFile(p.universal)
	}
	amd, err := os.ReadFile(p.of[target{"darwin", "amd64"}])
	if err != nil {
		return nil, err
	}
	arm, err := os.ReadFile(p.of[target{"darwin", "arm64"}])
	if err != nil {
		return nil, err
	}
	return universal(amd, arm)
}
