package clickhouse

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/klauspost/compress/zstd"
)

// maxInflateMemory bounds what a decompressor may hold.
const maxInflateMemory = 64 << 20

// body is the request's body as the client meant it, decompressed as it is read.
func body(w http.ResponseWriter, r *http.Request, query url.Values, idle time.Duration) (io.Reader, error) {
	var in io.Reader = &patientReader{from: r.Body, control: http.NewResponseController(w), idle: idle}
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		plain, err := gzip.NewReader(in)
		if err != nil {
			return nil, faultf(codeCannotReadAllData, "the body is not gzip: %v", err)
		}
		in = plain
	case "deflate":
		plain, err := zlib.NewReader(in)
		if err != nil {
			return nil, faultf(codeCannotReadAllData, "the body is not deflate: %v", err)
		}
		in = plain
	case "zstd":
		plain, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxInflateMemory))
		if err != nil {
			return nil, faultf(codeCannotReadAllData, "the body is not zstd: %v", err)
		}
		in = plain.IOReadCloser()
	default:
		return nil, faultf(codeUnknownCompression, "Content-Encoding %q is not known; send identity, gzip, deflate, or zstd", encoding)
	}
	if query.Get("decompress") == "1" {
		in = &frameReader{from: in}
	}
	return in, nil
}

// patientReader lets a body take as long as it needs, while bytes come.
type patientReader struct {
	from    io.Reader
	control *http.ResponseController
	idle    time.Duration
}

func (p *patientReader) Read(into []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(p.idle))
	return p.from.Read(into)
}
