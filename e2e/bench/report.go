package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is one line of the table of figures.
type row struct {
	label, unit string
	value       func(subject string) float64
}

func (b *bench) rows() []row {
	median := func(measure string) func(string) float64 {
		return func(s string) float64 { return b.median(measure, s) }
	}
	worst := func(measure string) func(string) float64 {
		return func(s string) float64 { return quantile(b.board[measure][s], 1) }
	}
	added := func(measure string) func(string) float64 {
		return func(s string) float64 {
			if s == direct {
				return math.NaN()
			}
			return b.added(measure, s)
		}
	}
	rows := []row{
		{"start to the answer of `initialize`, median", "ms", median(msStart)},
		{"the same, least", "ms", func(s string) float64 { return b.lowest(msStart, s) }},
		{"CPU of the process: start, `initialize`, end", "ms", median(msCPU)},
		{"the same, nobody signed in", "ms", median(msSignedOut)},
		{"CPU of `payu-mcp version`", "ms", median(msVersion)},
		{"a call, JSON answer, p50", "us", median(usP50JSON)},
		{"the same, p99", "us", median(usP99JSON)},
		{"added to plain HTTP, p50", "us", added(usP50JSON)},
		{"a call, event stream, p50", "us", median(usP50SSE)},
		{"the same, p99", "us", median(usP99SSE)},
		{"added to plain HTTP, p50", "us", added(usP50SSE)},
	}
	for _, n := range levels() {
		rows = append(rows, row{fmt.Sprintf("calls per second, %d in flight", n), "", median(fmt.Sprint(perSecond, n))})
	}
	for _, n := range levels() {
		rows = append(rows, row{fmt.Sprintf("CPU for 10,000 calls, %d in flight", n), "s", median(fmt.Sprint(cpuLoad, n))})
	}
	return append(rows,
		row{"memory after `initialize`", "MB", median(mbIdle)},
		row{"most memory, 64 calls in flight", "MB", median(mbLoad)},
		row{"an answer of 10 MB, JSON", "ms", median(msDownload)},
		row{"an answer of 10 MB, event stream", "ms", median(msStream)},
		row{"a request of 10 MB", "ms", median(msUpload)},
		row{"most memory with these", "MB", median(mbBig)},
		row{"a call beside one of 3 s, p50", "us", median(usBeside)},
		row{"the same, the slowest", "us", worst(usWorst)},
	)
}

// figure prints three digits and no more.
func figure(v float64, unit string) string {
	if math.IsNaN(v) {
		return "-"
	}
	text := fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(max(math.Abs(v), 0.01))))), v)
	return strings.TrimSpace(text + " " + unit)
}

func (b *bench) figures() string {
	var t strings.Builder
	fmt.Fprintf(&t, "| | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---:|", len(names)))
	for _, r := range b.rows() {
		cells := make([]string, len(names))
		for i, s := range names {
			cells[i] = figure(r.value(s), r.unit)
			if !b.has(s) {
				cells[i] = "not installed"
			}
		}
		if slices.ContainsFunc(cells, func(c string) bool { return c != "-" && c != "not installed" }) {
			fmt.Fprintf(&t, "| %s | %s |\n", r.label, strings.Join(cells, " | "))
		}
	}
	return t.String()
}

func (b *bench) has(name string) bool {
	return slices.ContainsFunc(b.subjects, func(s *subject) bool { return s.name == name })
}

// target is a ratio or a limit that payu-mcp has to keep.
type target struct {
	what  string
	value float64
	limit float64
	least bool // the value must not be below the limit; else not above
	unit  string
}

func (b *bench) targets() []target {
	against := func(measure, other string) float64 { return b.median(measure, payu) / b.median(measure, other) }
	than := func(measure, other string) float64 { return b.median(measure, other) / b.median(measure, payu) }
	rate, load := fmt.Sprint(perSecond, 64), fmt.Sprint(cpuLoad, 64)
	return []target{
		{"floor: added latency, JSON, p50", b.added(usP50JSON, payu) / b.added(usP50JSON, floor), 1.3, false, "x"},
		{"floor: added latency, event stream, p50", b.added(usP50SSE, payu) / b.added(usP50SSE, floor), 1.3, false, "x"},
		{"floor: calls per second, 64 in flight", against(rate, floor), 0.8, true, "x"},
		{"floor: CPU for a call, 64 in flight", against(load, floor), 1.4, false, "x"},
		{"floor: CPU for a call, one after the other", against(fmt.Sprint(cpuLoad, 1), floor), 1.4, false, "x"},
		{"CPU of `payu-mcp version`", b.median(msVersion, payu), 20, false, "ms"},
		{"CPU of start, `initialize`, end; nobody signed in", b.median(msSignedOut, payu), 20, false, "ms"},
		{"memory after `initialize`", b.median(mbIdle, payu), 15, false, "MB"},
		{"floor: an answer of 10 MB", against(msDownload, floor), 1.3, false, "x"},
		{"most memory with messages of 10 MB", b.median(mbBig, payu), 64, false, "MB"},
		{"mcp-remote: first answer, times faster", than(msStart, mcpRemote), 20, true, "x"},
		{"mcp-remote: added latency, times less", b.added(usP50JSON, mcpRemote) / b.added(usP50JSON, payu), 5, true, "x"},
		{"mcp-remote: calls per second, 64 in flight, times more", against(rate, mcpRemote), 10, true, "x"},
		{"mcp-remote: memory after `initialize`, times less", than(mbIdle, mcpRemote), 7, true, "x"},
	}
}

func (b *bench) ratios() string {
	var t strings.Builder
	t.WriteString("| against | payu-mcp | wanted | |\n|---|---:|---:|---|\n")
	for _, r := range b.targets() {
		if math.IsNaN(r.value) {
			continue
		}
		order, word := "at most", "kept"
		if r.least {
			order = "at least"
		}
		if cmp.Compare(r.value, r.limit) != map[bool]int{true: 1, false: -1}[r.least] {
			word = "**missed**"
		}
		fmt.Fprintf(&t, "| %s | %s | %s %s | %s |\n", r.what, figure(r.value, r.unit), order, figure(r.limit, r.unit), word)
	}
	return t.String()
}

func (b *bench) costTable() string {
	if b.costs == nil {
		return ""
	}
	var t strings.Builder
	fmt.Fprintf(&t, "| | %s |\n|---|%s\n", strings.Join(names[1:], " | "), strings.Repeat("---:|", len(names)-1))
	line := func(label string, value func(cost) string) {
		fmt.Fprintf(&t, "| %s |", label)
		for _, s := range names[1:] {
			if c, ok := b.costs[s]; ok {
				fmt.Fprintf(&t, " %s |", value(c))
			} else {
				t.WriteString(" not installed |")
			}
		}
		t.WriteString("\n")
	}
	number := func(f func(cost) int64) func(cost) string {
		return func(c cost) string { return strconv.FormatInt(f(c), 10) }
	}
	line("start: requests", number(func(c cost) int64 { return c.start.requests() }))
	line("start: POST, GET, metadata, registration", func(c cost) string {
		return fmt.Sprintf("%d, %d, %d, %d", c.start.Posts, c.start.Gets, c.start.Metadata, c.start.Registrations)
	})
	line("start: MCP sessions", number(func(c cost) int64 { return c.start.Sessions }))
	line("start: connections", number(func(c cost) int64 { return c.start.Connections }))
	line(fmt.Sprintf("%d calls: requests", costCalls), number(func(c cost) int64 { return c.calls.requests() }))
	line(fmt.Sprintf("%d calls: connections", costCalls), number(func(c cost) int64 { return c.calls.Connections }))
	line(fmt.Sprintf("%s idle: requests", idleWatch), number(func(c cost) int64 { return c.idle.requests() }))
	line("an idle hour, reckoned from that", func(c cost) string {
		return strconv.FormatInt(c.idle.requests()*int64(time.Hour/idleWatch), 10)
	})
	line("end: DELETE", number(func(c cost) int64 { return c.end.Deletes }))
	return t.String()
}

func stormTable() string {
	var t strings.Builder
	t.WriteString("| outage | most requests/s, first 10 s | later in the outage | after the return | 99 % are back after |\n|---|---:|---:|---:|---:|\n")
	for _, outage := range []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute} {
		s := reckon(outage)
		fmt.Fprintf(&t, "| %s | %d | %d | %d | %.0f s |\n", outage, s.first, s.during, s.after, s.back)
	}
	return t.String()
}
