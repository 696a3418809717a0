package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// icon draws the picture of the bundle: two arrows that pass each other, and
// nobody's trade mark. It counts in whole numbers, because fractions come out
// differently on other processors.
func icon() ([]byte, error) {
	const size, samples = 512, 4 // of each pixel, in both directions
	m := image.NewNRGBA(image.Rect(0, 0, size, size))
	for i := range size * size {
		x, y := i%size, i/size
		var ground, arrows int
		for s := range samples * samples {
			// In eighths of a pixel, from the middle of the picture.
			sx, sy := 8*x+2*(s%samples)+1-4*size, 8*y+2*(s/samples)+1-4*size
			switch {
			case arrow(sx, sy+72*8), arrow(-sx, -sy+72*8):
				arrows++
			case square(sx, sy):
				ground++
			}
		}
		m.SetNRGBA(x, y, pixel(ground, arrows, samples*samples))
	}
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return b.Bytes(), err
}

// arrow is to the right, through the middle, with its tip at 152.
func arrow(x, y int) bool {
	shaft := abs(x+28*8) <= 116*8 && abs(y) <= 18*8
	head := x >= 64*8 && abs(y)+x <= 152*8
	return shaft || head
}

// square has corners with a radius of 72.
func square(x, y int) bool {
	const half, radius = 248 * 8, 72 * 8
	dx, dy := max(abs(x)-half+radius, 0), max(abs(y)-half+radius, 0)
	return dx*dx+dy*dy <= radius*radius
}

func abs(x int) int { return max(x, -x) }

// pixel mixes the dark green of the ground with the white of the arrows.
func pixel(ground, arrows, of int) color.NRGBA {
	inside := ground + arrows
	if inside == 0 {
		return color.NRGBA{}
	}
	mix := func(dark int) uint8 { return uint8((dark*ground + 255*arrows) / inside) }
	return color.NRGBA{R: mix(0x0b), G: mix(0x5d), B: mix(0x4a), A: uint8(255 * inside / of)}
}
