package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

// icon draws icon.svg as a PNG that fills its square, so that it may be cut to any shape: two waves on the sea.
func icon(size int) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	sea, wave := [3]float64{0x0b, 0x6e, 0x8a}, [3]float64{255, 255, 255}
	scale := float64(size) / 64
	for y := range size {
		for x := range size {
			fx, fy := (float64(x)+0.5)/scale, (float64(y)+0.5)/scale
			cover := 0.0
			if fx > 10 && fx < 54 {
				for _, middle := range []float64{26, 38} {
					away := math.Abs(fy - middle + 3*math.Sin((fx-10)*2*math.Pi/22))
					cover = max(cover, min(1, max(0, (2.3-away)*scale+0.5)))
				}
			}
			var c [3]uint8
			for i := range c {
				c[i] = uint8(math.Round(sea[i] + (wave[i]-sea[i])*cover))
			}
			img.SetNRGBA(x, y, color.NRGBA{c[0], c[1], c[2], 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // into memory: it does not fail
	}
	return b.Bytes()
}
