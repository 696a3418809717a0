package edit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const (
	diffContext = 3   // lines
	diffWidth   = 200 // bytes of a line that are shown; some files are one line
	diffCells   = 1 << 22
)

// Diff shows the change of a file as a unified diff, "" if there is none. It is
// for reading, not for patch: long lines are cut.
func Diff(path string, before, after []byte) string {
	if bytes.Equal(before, after) {
		return ""
	}
	lines := diffLines(splitLines(before), splitLines(after))
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", path, path)
	for from := 0; from < len(lines); {
		first := slices.IndexFunc(lines[from:], diffLine.changed)
		if first < 0 {
			break
		}
		start := max(from, from+first-diffContext)
		end := hunkEnd(lines, from+first)
		writeHunk(&b, lines, start, end)
		from = end
	}
	return b.String()
}

type diffLine struct {
	sign byte // ' ', '-', '+'
	text string
}

func (l diffLine) changed() bool { return l.sign != ' ' }

// hunkEnd returns where the hunk of the change at i ends: where more lines are
// equal than the context of two changes.
func hunkEnd(lines []diffLine, i int) int {
	last := i
	for ; i < len(lines) && i-last <= 2*diffContext+1; i++ {
		if lines[i].changed() {
			last = i
		}
	}
	return min(last+1+diffContext, len(lines))
}

func writeHunk(b *strings.Builder, lines []diffLine, start, end int) {
	count := func(of []diffLine, not byte) (n int) {
		for _, l := range of {
			if l.sign != not {
				n++
			}
		}
		return n
	}
	side := func(not byte) string {
		at, n := count(lines[:start], not), count(lines[start:end], not)
		if n > 0 {
			at++
		}
		return fmt.Sprintf("%d,%d", at, n)
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", side('+'), side('-'))
	for _, l := range lines[start:end] {
		text, ended := strings.CutSuffix(l.text, "\n")
		text = strings.TrimSuffix(text, "\r")
		if len(text) > diffWidth {
			text = strings.ToValidUTF8(text[:diffWidth], "") + " [...]"
		}
		fmt.Fprintf(b, "%c%s\n", l.sign, text)
		if !ended {
			b.WriteString("\\ No newline at end of file\n")
		}
	}
}

func splitLines(b []byte) []string {
	lines := strings.SplitAfter(string(b), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// diffLines aligns what is between the equal lines at both ends.
func diffLines(a, b []string) []diffLine {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	lines := signed(nil, ' ', a[:head])
	lines = append(lines, align(a[head:len(a)-tail], b[head:len(b)-tail])...)
	return signed(lines, ' ', a[len(a)-tail:])
}

func signed(lines []diffLine, sign byte, texts []string) []diffLine {
	for _, t := range texts {
		lines = append(lines, diffLine{sign, t})
	}
	return lines
}

// align keeps the longest sequence of lines that both have, unless there are too
// many to look for it.
func align(a, b []string) []diffLine {
	if len(a)*len(b) > diffCells {
		return signed(signed(nil, '-', a), '+', b)
	}
	common := make([][]int, len(a)+1) // of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i, x := range slices.Backward(a) {
		for j, y := range slices.Backward(b) {
			if x == y {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var lines []diffLine
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			lines = append(lines, diffLine{' ', a[i]})
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			lines = append(lines, diffLine{'-', a[i]})
			i++
		default:
			lines = append(lines, diffLine{'+', b[j]})
			j++
		}
	}
	return signed(signed(lines, '-', a[i:]), '+', b[j:])
}
