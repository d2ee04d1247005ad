package attachments

import (
	"bytes"
	"image"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/multi/qrcode"
	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

const (
	// maxSide is the longest side of a picture, pixels.
	maxSide = 16_384
	// maxFrames is the most frames of an animation.
	maxFrames = 300
	// maxQR is the most QR codes of a picture, and the longest side at which they are looked for.
	maxQR     = 8
	qrSide    = 1600
	qrPayload = 4096
	jpegGrade = 88
)

// file is what will be stored.
type file struct {
	data []byte
	mime string
	qr   []string
}

// inspect finds out what the bytes are, and makes pictures anew. The size of a picture is looked at before it is
// decoded, so that a small file cannot become a large memory.
func inspect(data []byte, maxPixels int64) (file, error) {
	if len(data) == 0 {
		return file{}, refusedf("the file is empty")
	}
	switch mime := http.DetectContentType(data); mime {
	case "image/jpeg", "image/png", "image/webp":
		return still(data, mime, maxPixels)
	case "image/gif":
		return animation(data, maxPixels)
	case "application/pdf":
		// A PDF ends with its own mark; one that was cut, or that merely begins like one, is refused.
		if !bytes.Contains(data[max(0, len(data)-2048):], []byte("%%EOF")) {
			return file{}, refusedf("the PDF is not whole")
		}
		return file{data: data, mime: mime}, nil
	}
	return file{}, refusedf("only pictures (JPEG, PNG, GIF, WebP) and PDF are taken")
}

func checkSize(c image.Config, frames, maxPixels int64) error {
	if c.Width < 1 || c.Height < 1 || c.Width > maxSide || c.Height > maxSide || int64(c.Width)*int64(c.Height)*frames > maxPixels {
		return refusedf("the picture is too large: at most %d pixels in all, and %d on a side", maxPixels, maxSide)
	}
	return nil
}

func still(data []byte, mime string, maxPixels int64) (file, error) {
	var config func() (image.Config, error)
	var decode func() (image.Image, error)
	switch mime {
	case "image/jpeg":
		config = func() (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(data)) }
		decode = func() (image.Image, error) { return jpeg.Decode(bytes.NewReader(data)) }
	case "image/png":
		config = func() (image.Config, error) { return png.DecodeConfig(bytes.NewReader(data)) }
		decode = func() (image.Image, error) { return png.Decode(bytes.NewReader(data)) }
	default:
		config = func() (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(data)) }
		decode = func() (image.Image, error) { return webp.Decode(bytes.NewReader(data)) }
	}
	c, err := config()
	if err != nil {
		return file{}, refusedf("the picture cannot be read")
	}
	if err := checkSize(c, 1, maxPixels); err != nil {
		return file{}, err
	}
	img, err := decode()
	if err != nil {
		return file{}, refusedf("the picture cannot be read")
	}
	if mime == "image/jpeg" {
		img = turned(img, orientation(data))
	}
	f := file{mime: mime, qr: codes(img)}
	var out bytes.Buffer
	if mime == "image/jpeg" {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: jpegGrade})
	} else {
		f.mime = "image/png" // WebP is written as PNG: there is no encoder for it
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img)
	}
	if err != nil {
		return file{}, refusedf("the picture cannot be written anew")
	}
	f.data = out.Bytes()
	return f, nil
}

func animation(data []byte, maxPixels int64) (file, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return file{}, refusedf("the picture cannot be read")
	}
	frames, err := countFrames(data)
	if err != nil || frames > maxFrames {
		return file{}, refusedf("the animation cannot be read, or has more than %d frames", maxFrames)
	}
	if err := checkSize(c, int64(max(frames, 1)), maxPixels); err != nil {
		return file{}, err
	}
	g, err := gif.DecodeAll(bytes.NewReader(data))
	if err != nil || len(g.Image) == 0 {
		return file{}, refusedf("the picture cannot be read")
	}
	f := file{mime: "image/gif", qr: codes(g.Image[0])}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, g); err != nil {
		return file{}, refusedf("the picture cannot be written anew")
	}
	f.data = out.Bytes()
	return f, nil
}

// countFrames walks the blocks of a GIF without decoding them.
func countFrames(data []byte) (frames int, err error) {
	at := 13
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(data) < at {
		return 0, errShort
	}
	at += table(data[10])
	blocks := func() error {
		for {
			if at >= len(data) {
				return errShort
			}
			n := int(data[at])
			at += n + 1
			if n == 0 {
				return nil
			}
		}
	}
	for at < len(data) {
		switch data[at] {
		case 0x21: // extension
			at += 2
		case 0x2c: // picture
			if frames++; at+10 > len(data) {
				return frames, errShort
			}
			at += 10 + table(data[at+9]) + 1
		case 0x3b:
			return frames, nil
		default:
			return frames, errShort
		}
		if err := blocks(); err != nil {
			return frames, err
		}
	}
	return frames, nil
}

// codes reads the QR codes of a picture. What cannot be read is as if it were not there.
func codes(img image.Image) (payloads []string) {
	defer func() {
		// The library is not made for pictures that mean harm; a picture must not end the process.
		if recover() != nil {
			payloads = nil
		}
	}()
	b := img.Bounds()
	if long := max(b.Dx(), b.Dy()); long > qrSide {
		small := image.NewGray(image.Rect(0, 0, max(1, b.Dx()*qrSide/long), max(1, b.Dy()*qrSide/long)))
		xdraw.ApproxBiLinear.Scale(small, small.Bounds(), img, b, draw.Src, nil)
		img = small
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return nil
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	results, err := qrcode.NewQRCodeMultiReader().DecodeMultiple(bitmap, hints)
	if err != nil {
		return nil
	}
	for _, r := range results[:min(len(results), maxQR)] {
		if text := r.GetText(); text != "" {
			payloads = append(payloads, validText(text))
		}
	}
	return payloads
}
