package attachments

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

func open(t testing.TB, url string) *Store {
	t.Helper()
	cfg := DefaultConfig()
	cfg.URL = url
	s, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func picture(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), 99, 255})
		}
	}
	return img
}

func encoded(t testing.TB, do func(io.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := do(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	return encoded(t, func(w io.Writer) error { return png.Encode(w, img) })
}

func jpegOf(t testing.TB, img image.Image) []byte {
	return encoded(t, func(w io.Writer) error { return jpeg.Encode(w, img, nil) })
}

// withExif puts metadata with a place, a secret, and an orientation into a JPEG.
func withExif(data []byte, orientation byte) []byte {
	body := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00GPS 31.2304N secret")
	seg := []byte{0xff, 0xe1, byte((len(body) + 2) >> 8), byte(len(body) + 2)}
	return append(append(append([]byte{}, data[:2]...), append(seg, body...)...), data[2:]...)
}

// pngBomb is a small file that says it is a huge picture, and holds as many zeros.
func pngBomb(w, h uint32) []byte {
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(name string, body []byte) {
		_ = binary.Write(&out, binary.BigEndian, uint32(len(body)))
		sum := crc32.NewIEEE()
		mw := io.MultiWriter(&out, sum)
		_, _ = mw.Write([]byte(name))
		_, _ = mw.Write(body)
		_ = binary.Write(&out, binary.BigEndian, sum.Sum32())
	}
	head := binary.BigEndian.AppendUint32(nil, w)
	head = binary.BigEndian.AppendUint32(head, h)
	chunk("IHDR", append(head, 8, 6, 0, 0, 0))
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	zeros := make([]byte, 1<<20)
	for range 4 {
		_, _ = zw.Write(zeros)
	}
	zw.Close()
	chunk("IDAT", z.Bytes())
	chunk("IEND", nil)
	return out.Bytes()
}

func TestPut(t *testing.T) {
	t.Parallel()
	s := open(t, "file://"+filepath.Join(t.TempDir(), "new"))
	qr, err := qrcode.NewQRCodeWriter().Encode("https://evil.example/加我", gozxing.BarcodeFormat_QR_CODE, 240, 240, nil)
	if err != nil {
		t.Fatal(err)
	}
	gifs := encoded(t, func(w io.Writer) error {
		g := &gif.GIF{}
		for range 3 {
			g.Image = append(g.Image, image.NewPaletted(image.Rect(0, 0, 20, 10), color.Palette{color.Black, color.White}))
			g.Delay = append(g.Delay, 5)
		}
		return gif.EncodeAll(w, g)
	})
	taken := func(name string, data []byte, mime string, more func(*testing.T, []byte, []string)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := s.Put(t.Context(), "tea", "c1", "../../a\x00b/发票.x", bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if a.MimeType != mime || a.FileName != "发票.x" || len(a.Sha256) != 64 {
				t.Errorf("got %v", a)
			}
			f, err := s.Get(t.Context(), nameOf("tea", "c1", a.Id))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			stored, err := io.ReadAll(f)
			if err != nil || int64(len(stored)) != a.Size || f.MimeType != mime {
				t.Fatalf("stored %d bytes as %s, %v", len(stored), f.MimeType, err)
			}
			if there, err := s.Has(t.Context(), "tea", "c2", a.Id); there || err != nil {
				t.Errorf("another conversation has it: %v, %v", there, err)
			}
			if more != nil {
				more(t, stored, a.QrPayloads)
			}
		})
	}
	taken("png", pngOf(t, picture(30, 20)), "image/png", nil)
	taken("png with something behind", append(pngOf(t, picture(30, 20)), "<script>PK\x03\x04"...), "image/png", func(t *testing.T, stored []byte, _ []string) {
		if bytes.Contains(stored, []byte("<script>")) {
			t.Error("what stood behind the picture was kept")
		}
	})
	taken("jpeg on its side, with metadata", withExif(jpegOf(t, picture(30, 20)), 6), "image/jpeg", func(t *testing.T, stored []byte, _ []string) {
		if bytes.Contains(stored, []byte("GPS")) || bytes.Contains(stored, []byte("Exif")) {
			t.Error("metadata was kept")
		}
		if c, err := jpeg.DecodeConfig(bytes.NewReader(stored)); err != nil || c.Width != 20 || c.Height != 30 {
			t.Errorf("%dx%d, %v", c.Width, c.Height, err)
		}
	})
	taken("gif", gifs, "image/gif", func(t *testing.T, stored []byte, _ []string) {
		if g, err := gif.DecodeAll(bytes.NewReader(stored)); err != nil || len(g.Image) != 3 {
			t.Error("frames were lost", err)
		}
	})
	taken("qr", pngOf(t, qr), "image/png", func(t *testing.T, _ []byte, codes []string) {
		if len(codes) != 1 || codes[0] != "https://evil.example/加我" {
			t.Errorf("codes %q", codes)
		}
	})
	taken("pdf", []byte("%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"), "application/pdf", nil)

	refused := func(name string, data []byte, large bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Put(t.Context(), "tea", "c1", "x.png", bytes.NewReader(data))
			var r *RefusedError
			if !errors.As(err, &r) || r.Large != large {
				t.Errorf("got %v", err)
			}
		})
	}
	whole := pngOf(t, picture(300, 200))
	refused("empty", nil, false)
	refused("text", []byte("hello"), false)
	refused("html", []byte("<html><script>alert(1)</script>"), false)
	refused("svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="x"/>`), false)
	refused("zip", []byte("PK\x03\x04............................"), false)
	refused("executable", append([]byte("MZ"), make([]byte, 100)...), false)
	refused("half a png", whole[:len(whole)/2], false)
	refused("a png's beginning only", whole[:16], false)
	refused("fake jpeg", append([]byte{0xff, 0xd8, 0xff, 0xe0}, []byte(strings.Repeat("x", 100))...), false)
	refused("fake webp", []byte("RIFF\x10\x00\x00\x00WEBPVP8 \x00\x00\x00\x00"), false)
	refused("half a gif", gifs[:len(gifs)/2], false)
	refused("half a pdf", []byte("%PDF-1.7\n1 0 obj\n"), false)
	refused("bomb", pngBomb(60_000, 60_000), false)
	refused("bomb with modest sides", pngBomb(16_000, 16_000), false)
	refused("too large", append(whole, make([]byte, 11<<20)...), true)
}

func TestBombsTakeNoMemory(t *testing.T) {
	s := open(t, "mem://")
	bomb := pngBomb(16_000, 16_000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 20 {
		if _, err := s.Put(t.Context(), "tea", "c1", "", bytes.NewReader(bomb)); err == nil {
			t.Fatal("taken")
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("20 bombs of %d bytes took %d bytes", len(bomb), grown)
	}
}

func TestReceiptsAndLinks(t *testing.T) {
	t.Parallel()
	s := open(t, "mem://")
	const now = int64(1_764_000_000_000_000)
	a, err := s.Put(t.Context(), "tea", "c1", "x.png", bytes.NewReader(pngOf(t, picture(3, 2))))
	if err != nil {
		t.Fatal(err)
	}
	at := Place{"tea", "c1", "consumer c1"}
	receipt, err := s.Receipt(a, at, now)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Redeem(receipt, at, now+1); err != nil || got.Sha256 != a.Sha256 {
		t.Errorf("%v, %v", got, err)
	}
	life := s.cfg.ReceiptLife.Microseconds()
	for name, try := range map[string]func() error{
		"over":                 func() error { _, err := s.Redeem(receipt, at, now+life); return err },
		"another conversation": func() error { _, err := s.Redeem(receipt, Place{"tea", "c2", "consumer c1"}, now); return err },
		"another account":      func() error { _, err := s.Redeem(receipt, Place{"tea", "c1", "consumer c2"}, now); return err },
		"moved border":         func() error { _, err := s.Redeem(receipt, Place{"te", "ac1", "consumer c1"}, now); return err },
		"changed":              func() error { _, err := s.Redeem("z"+receipt[1:], at, now); return err },
		"rubbish":              func() error { _, err := s.Redeem("a.b.c", at, now); return err },
		"empty":                func() error { _, err := s.Redeem("", at, now); return err },
		"another secret":       func() error { _, err := open(t, "mem://").Redeem(receipt, at, now); return err },
	} {
		if err := try(); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	link, until := s.Link("tea", "c1", a.Id, now)
	if until != now+(10*time.Minute).Microseconds() {
		t.Errorf("until %d", until)
	}
	name, query, _ := strings.Cut(strings.TrimPrefix(link, "/files/"), "?")
	var sig, by string
	for _, pair := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key == "sig" {
			sig = value
		} else {
			by = value
		}
	}
	if err := s.Check(name, by, sig, now); err != nil {
		t.Error(err)
	}
	if s.Check(name, by, sig, until) == nil || s.Check(name+"x", by, sig, now) == nil || s.Check(name, "zzzzzzzzzzzz", sig, now) == nil || s.Check(name, by, "", now) == nil {
		t.Error("a link that is not good was taken")
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(pngOf(f, picture(3, 2)))
	f.Add(withExif(jpegOf(f, picture(3, 2)), 5))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add([]byte("%PDF-1.7\n%%EOF"))
	f.Add([]byte("RIFF\x24\x00\x00\x00WEBPVP8L"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := inspect(data, 10_000)
		if err != nil {
			var r *RefusedError
			if !errors.As(err, &r) {
				t.Fatal(err)
			}
			return
		}
		if _, err := inspect(out.data, 10_000); err != nil {
			t.Fatalf("what was written anew as %s is refused: %v", out.mime, err)
		}
	})
}

func FuzzRedeem(f *testing.F) {
	s := open(f, "mem://")
	f.Add("1.2.3")
	f.Fuzz(func(t *testing.T, receipt string) {
		if _, err := s.Redeem(receipt, Place{"a", "b", "c"}, 1); err == nil {
			t.Fatal("taken")
		}
	})
}
