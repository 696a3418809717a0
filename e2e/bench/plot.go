package main

import (
	"fmt"
	"math"
	"strings"
)

// The plot: three fields of bars and one of lines, readable on light and dark
// paper. It has no script, so that it may stand in a README.
const (
	plotWidth, plotHeight = 860, 560
	panelWidth            = 430
	panelHeight           = 260
	style                 = `<style>
.paper{fill:#ffffff}text{fill:#1f2328;font:13px system-ui,sans-serif}.title{font-weight:600}.axis{stroke:#8c959f;stroke-width:1;fill:none}
.c0{fill:#6e7781}.c1{fill:#0969da}.c2{fill:#1a7f37}.c3{fill:#bc4c00}
.l0{stroke:#6e7781}.l1{stroke:#0969da}.l2{stroke:#1a7f37}.l3{stroke:#bc4c00}.line{fill:none;stroke-width:2.5}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#e6edf3}
.c0{fill:#9198a1}.c1{fill:#4493f8}.c2{fill:#3fb950}.c3{fill:#f0883e}
.l0{stroke:#9198a1}.l1{stroke:#4493f8}.l2{stroke:#3fb950}.l3{stroke:#f0883e}}
</style>
`
)

// plot draws the run.
func (b *bench) plot() string {
	var p strings.Builder
	fmt.Fprintf(&p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="payu-mcp beside other ways to the server">`+"\n",
		plotWidth, plotHeight)
	p.WriteString(style)
	fmt.Fprintf(&p, `<rect class="paper" width="%d" height="%d"/>`+"\n", plotWidth, plotHeight)
	panels := []func(*strings.Builder){
		b.bars("Start to the first answer", "ms", func(s string) float64 { return b.median(msStart, s) }),
		b.bars("Added to a call, p50", "us", func(s string) float64 { return b.added(usP50JSON, s) }),
		b.lines("Calls per second, by calls in flight"),
		b.bars("Memory after initialize", "MB", func(s string) float64 { return b.median(mbIdle, s) }),
	}
	for i, draw := range panels {
		fmt.Fprintf(&p, `<g transform="translate(%d %d)">`+"\n", i%2*panelWidth, 10+i/2*(panelHeight+10))
		draw(&p)
		p.WriteString("</g>\n")
	}
	p.WriteString("</svg>\n")
	return p.String()
}

// bars draws one bar for each bridge, with its figure.
func (b *bench) bars(title, unit string, value func(string) float64) func(*strings.Builder) {
	return func(p *strings.Builder) {
		const left, full, step, thick = 100, 235, 62, 30
		fmt.Fprintf(p, `<text class="title" x="16" y="24">%s</text>`+"\n", title)
		most := 0.0
		for _, s := range names[1:] {
			if v := value(s); !math.IsNaN(v) {
				most = max(most, v)
			}
		}
		for i, s := range names[1:] {
			y, v := 48+i*step, value(s)
			length := 0.0
			label := "not measured"
			if !math.IsNaN(v) {
				length, label = max(2, v/max(most, 1e-9)*full), figure(v, unit)
			}
			fmt.Fprintf(p, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-10, y+20, s)
			fmt.Fprintf(p, `<rect class="c%d" x="%d" y="%d" width="%.1f" height="%d"/>`+"\n", i+1, left, y, length, thick)
			fmt.Fprintf(p, `<text x="%.1f" y="%d">%s</text>`+"\n", left+length+8, y+20, label)
		}
	}
}

// lines draws calls per second over calls in flight, both by powers.
func (b *bench) lines(title string) func(*strings.Builder) {
	return func(p *strings.Builder) {
		const left, top, width, height = 62, 44, 260, 170
		const low, high = 1, 5 // powers of ten
		fmt.Fprintf(p, `<text class="title" x="16" y="24">%s</text>`+"\n", title)
		fmt.Fprintf(p, `<path class="axis" d="M%d %dv%dh%d"/>`+"\n", left, top, height, width)
		for power := low; power <= high; power++ {
			fmt.Fprintf(p, `<text x="%d" y="%d" text-anchor="end">%.0f</text>`+"\n",
				left-6, top+height-(power-low)*height/(high-low)+5, math.Pow10(power))
		}
		at := func(n int) float64 { return left + math.Log2(float64(n))/8*width }
		for _, n := range levels() {
			fmt.Fprintf(p, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", at(n), top+height+20, n)
		}
		for i, s := range names {
			var points []string
			for _, n := range levels() {
				if v := b.median(fmt.Sprint(perSecond, n), s); v > 0 {
					y := top + height - (math.Log10(v)-low)/(high-low)*height
					points = append(points, fmt.Sprintf("%.1f %.1f", at(n), y))
				}
			}
			if len(points) > 0 {
				fmt.Fprintf(p, `<path class="line l%d" d="M%s"/>`+"\n", i, strings.Join(points, "L"))
			}
			fmt.Fprintf(p, `<rect class="c%d" x="%d" y="%d" width="12" height="12"/><text x="%d" y="%d">%s</text>`+"\n",
				i, left+width+10, top+10+i*24, left+width+26, top+21+i*24, s)
		}
	}
}
