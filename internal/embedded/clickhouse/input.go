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

// body is the request's body as the client meant it, decompressed as it is read. Behind it, what the client
// sent: it must be read to its end, for only then is it noticed when the client goes away.
func body(w http.ResponseWriter, r *http.Request, query url.Values, idle time.Duration) (plain, sent io.Reader, err error) {
	sent = &patientReader{from: r.Body, control: http.NewResponseController(w), idle: idle}
	plain, err = inflate(sent, r.Header.Get("Content-Encoding"))
	if err == nil && query.Get("decompress") == "1" {
		plain = &frameReader{from: plain}
	}
	return plain, sent, err
}

func inflate(in io.Reader, encoding string) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return in, nil
	case "gzip":
		plain, err := gzip.NewReader(in)
		if err != nil {
			return nil, faultf(codeCannotReadAllData, "the body is not gzip: %v", err)
		}
		return plain, nil
	case "deflate":
		plain, err := zlib.NewReader(in)
		if err != nil {
			return nil, faultf(codeCannotReadAllData, "the body is not deflate: %v", err)
		}
		return plain, nil
	case "zstd":
		plain, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxInflateMemory))
		if err != nil {
			return nil, faultf(codeCannotReadAllData, "the body is not zstd: %v", err)
		}
		return plain.IOReadCloser(), nil
	}
	return nil, faultf(codeUnknownCompression, "Content-Encoding %q is not known; send identity, gzip, deflate, or zstd", encoding)
}

// patientReader lets a body take as long as it needs, while bytes come.
type patientReader struct {
	from    io.Reader
	control *http.ResponseController
	idle    time.Duration
}

func (p *patientReader) Read(into []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(p.idle))
	n, err := p.from.Read(into)
	if err != nil {
		// From here on the connection is watched for its end, which may be long after.
		_ = p.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
