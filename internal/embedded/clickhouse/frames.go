package clickhouse

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-faster/city"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// A frame of ClickHouse's compressed stream: the checksum of all that follows (16 bytes), the method (1), the
// compressed size with method and sizes (4), the plain size (4), the compressed bytes.
const (
	frameHeader   = 25
	frameChecksum = 16
	framePrefix   = frameHeader - frameChecksum
	// maxFramePlain is the engine's own bound on a frame (its clients send a batch as one).
	maxFramePlain = 128 << 20

	frameNone = 0x02
	frameLZ4  = 0x82
	frameZSTD = 0x90
)

// frameReader reads frames. A stream that ends inside a frame is an error, never an end: what has come so
// far must not pass for the whole.
type frameReader struct {
	from   io.Reader
	header [frameHeader]byte
	packed []byte
	plain  []byte
	left   []byte
	zstd   *zstd.Decoder
}

func (f *frameReader) Read(into []byte) (int, error) {
	for len(f.left) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(into, f.left)
	f.left = f.left[n:]
	return n, nil
}

func (f *frameReader) next() error {
	if _, err := io.ReadFull(f.from, f.header[:]); err != nil {
		return err // io.EOF between frames only
	}
	packed := int64(binary.LittleEndian.Uint32(f.header[17:])) - framePrefix
	plain := int64(binary.LittleEndian.Uint32(f.header[21:]))
	if packed < 0 || packed > maxFramePlain || plain > maxFramePlain {
		return fmt.Errorf("a compressed frame of %d bytes for %d: more than the bound of %d", packed, plain, maxFramePlain)
	}
	if ratio := int64(255); f.header[frameChecksum] == frameLZ4 && plain > (packed+1)*ratio {
		return fmt.Errorf("a compressed frame of %d bytes cannot hold %d", packed, plain)
	}
	f.packed = resize(f.packed, framePrefix+int(packed))
	copy(f.packed, f.header[frameChecksum:])
	if _, err := io.ReadFull(f.from, f.packed[framePrefix:]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("in a compressed frame: %w", err)
	}
	sum := city.CH128(f.packed)
	if sum.Low != binary.LittleEndian.Uint64(f.header[0:]) || sum.High != binary.LittleEndian.Uint64(f.header[8:]) {
		return errors.New("the checksum of a compressed frame is wrong")
	}
	return f.unpack(f.packed[framePrefix:], int(plain))
}

func (f *frameReader) unpack(packed []byte, size int) error {
	f.plain = resize(f.plain, size)
	switch method := f.header[frameChecksum]; method {
	case frameNone:
		if len(packed) != size {
			return fmt.Errorf("a plain frame of %d bytes says it has %d", len(packed), size)
		}
		copy(f.plain, packed)
	case frameLZ4:
		n, err := lz4.UncompressBlock(packed, f.plain)
		if err != nil || n != size {
			return fmt.Errorf("an lz4 frame of %d bytes does not hold %d", len(packed), size)
		}
	case frameZSTD:
		if f.zstd == nil {
			decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFramePlain))
			if err != nil {
				return err
			}
			f.zstd = decoder
		}
		out, err := f.zstd.DecodeAll(packed, f.plain[:0])
		if err != nil || len(out) != size {
			return fmt.Errorf("a zstd frame of %d bytes does not hold %d", len(packed), size)
		}
		f.plain = out
	default:
		return fmt.Errorf("a frame compressed by method 0x%02x: send lz4 (0x82) or zstd (0x90)", method)
	}
	f.left = f.plain
	return nil
}

func resize(buffer []byte, n int) []byte {
	if cap(buffer) < n {
		return make([]byte, n)
	}
	return buffer[:n]
}
