package clickhouse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/go-faster/city"
)

func frame(t testing.TB, method compress.Method, text string) []byte {
	t.Helper()
	w := compress.NewWriter(0, method)
	if err := w.Compress([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(w.Data)
}

// forged is a frame with a right checksum and whatever sizes.
func forged(method byte, packedSize, plainSize uint32, packed string) []byte {
	out := make([]byte, frameHeader, frameHeader+len(packed))
	out[frameChecksum] = method
	binary.LittleEndian.PutUint32(out[17:], packedSize)
	binary.LittleEndian.PutUint32(out[21:], plainSize)
	out = append(out, packed...)
	sum := city.CH128(out[frameChecksum:])
	binary.LittleEndian.PutUint64(out[0:], sum.Low)
	binary.LittleEndian.PutUint64(out[8:], sum.High)
	return out
}

func TestFramesRoundTrip(t *testing.T) {
	t.Parallel()
	texts := []string{"", "x", strings.Repeat("chat ", 100000), strings.Repeat("亲", 1000)}
	for _, method := range []compress.Method{compress.None, compress.LZ4, compress.ZSTD} {
		var all bytes.Buffer
		for _, text := range texts {
			all.Write(frame(t, method, text))
		}
		got, err := io.ReadAll(&frameReader{from: &all})
		if err != nil || string(got) != strings.Join(texts, "") {
			t.Errorf("%v: %d bytes, %v", method, len(got), err)
		}
	}
}

func TestFramesThatAreBroken(t *testing.T) {
	t.Parallel()
	whole := frame(t, compress.LZ4, "some text that is compressed")
	for cut := 1; cut < len(whole); cut++ {
		_, err := io.ReadAll(&frameReader{from: bytes.NewReader(whole[:cut])})
		if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d of %d: %v", cut, len(whole), err)
		}
	}
	for name, data := range map[string][]byte{
		"a packed size below the header's": forged(frameNone, 3, 1, "x"),
		"a packed size beyond the bound":   forged(frameNone, maxFramePlain+100, 1, "x"),
		"a plain size beyond the bound":    forged(frameZSTD, framePrefix+1, maxFramePlain+1, "x"),
		"an lz4 frame that claims much":    forged(frameLZ4, framePrefix+1, maxFramePlain, "x"),
		"a plain frame of another size":    forged(frameNone, framePrefix+1, 2, "x"),
		"an unknown method":                forged(0x42, framePrefix+1, 1, "x"),
		"no zstd":                          forged(frameZSTD, framePrefix+1, 1, "x"),
	} {
		if out, err := io.ReadAll(&frameReader{from: bytes.NewReader(data)}); err == nil {
			t.Errorf("%s: read %d bytes", name, len(out))
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(frame(f, compress.LZ4, "some text"))
	f.Add(frame(f, compress.ZSTD, "some text"))
	f.Add(frame(f, compress.None, "some text"))
	f.Add(forged(frameLZ4, framePrefix+1, 200, "x"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		// The checksum is made right, so that what lies behind it is tried.
		if len(data) >= frameHeader {
			sum := city.CH128(data[frameChecksum:])
			binary.LittleEndian.PutUint64(data[0:], sum.Low)
			binary.LittleEndian.PutUint64(data[8:], sum.High)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(&frameReader{from: bytes.NewReader(data)}, maxFramePlain))
		if err == nil && n == 0 && len(data) > frameHeader && len(data) < 2*frameHeader && data[21] != 0 {
			t.Errorf("%d bytes passed for nothing", len(data))
		}
	})
}
