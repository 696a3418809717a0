package main

import (
	"math"
	"slices"
)

// board holds the figures of a run: of each measure and subject, one a round.
type board map[string]map[string][]float64

func (b board) add(measure, subject string, v float64) {
	if b[measure] == nil {
		b[measure] = map[string][]float64{}
	}
	b[measure][subject] = append(b[measure][subject], v)
}

// median returns NaN where nothing was measured.
func (b board) median(measure, subject string) float64 { return quantile(b[measure][subject], 0.5) }

func (b board) lowest(measure, subject string) float64 { return quantile(b[measure][subject], 0) }

// added is what the subject adds to plain HTTP.
func (b board) added(measure, subject string) float64 {
	return b.median(measure, subject) - b.median(measure, direct)
}

// quantile returns the value below which the share q of all lies.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
