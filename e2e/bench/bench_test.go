package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestPlot_anyRun_wellFormedAndComplete(t *testing.T) {
	t.Parallel()
	b := &bench{world: &world{}, board: board{}}
	for i, s := range names[:3] { // without mcp-remote
		b.add(msStart, s, float64(i+1))
		b.add(perSecond+"64", s, 1000)
	}
	svg := b.plot()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "<script") || !strings.Contains(svg, "3.00 ms") {
		t.Error(svg)
	}
}

func TestReckon_sameOutage_sameStormAndAllBack(t *testing.T) {
	t.Parallel()
	s := reckon(time.Minute)
	if s != reckon(time.Minute) {
		t.Error("two reckonings differ")
	}
	// The first pauses are spread over 10 s; the longest is twice the last.
	if s.first > bridges/5 || s.back <= 0 || s.back > 2*lastPause || s.after == 0 || s.after >= s.first {
		t.Errorf("%+v", s)
	}
}

func TestBetween_page_onlyTheMarkedPartChanges(t *testing.T) {
	t.Parallel()
	got, err := between("head\n"+beginMark+"old\n"+endMark+"tail\n", "new\n")
	if err != nil || got != "head\n"+beginMark+"new\n"+endMark+"tail\n" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := between("no marks\n", "new\n"); err == nil {
		t.Error("a page without marks was taken")
	}
}

func TestBoard_rounds_medianAndAdded(t *testing.T) {
	t.Parallel()
	b := board{}
	for _, v := range []float64{9, 1, 3} {
		b.add(usP50JSON, direct, v)
		b.add(usP50JSON, payu, v+10)
	}
	if b.median(usP50JSON, direct) != 3 || b.lowest(usP50JSON, direct) != 1 || b.added(usP50JSON, payu) != 10 || !math.IsNaN(b.median(usP50JSON, floor)) {
		t.Errorf("%v", b)
	}
}
