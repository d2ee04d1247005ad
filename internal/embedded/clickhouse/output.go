package clickhouse

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"
)

// maxFrame is how much output one compressed frame holds.
const maxFrame = 1 << 20

// output is the answer's body, compressed as the client asked.
type output struct {
	io.Writer
	closers []io.Closer
}

// newOutput decides on compression and sets its header; the first Write sends the headers.
func newOutput(w http.ResponseWriter, r *http.Request, query url.Values, idle time.Duration) *output {
	out := &output{Writer: &patientWriter{to: w, control: http.NewResponseController(w), idle: idle}}
	if query.Get("enable_http_compression") == "1" {
		switch accepted := r.Header.Get("Accept-Encoding"); {
		case strings.Contains(accepted, "gzip"):
			w.Header().Set("Content-Encoding", "gzip")
			zipped, _ := gzip.NewWriterLevel(out.Writer, gzip.BestSpeed)
			out.add(zipped)
		case strings.Contains(accepted, "deflate"):
			w.Header().Set("Content-Encoding", "deflate")
			zipped, _ := zlib.NewWriterLevel(out.Writer, zlib.BestSpeed)
			out.add(zipped)
		}
	}
	if query.Get("compress") == "1" {
		method := compress.LZ4
		if strings.EqualFold(query.Get("network_compression_method"), "ZSTD") {
			method = compress.ZSTD
		}
		out.Writer = &frameWriter{to: out.Writer, frames: compress.NewWriter(0, method)}
	}
	return out
}

func (o *output) add(compressor io.WriteCloser) {
	o.Writer = compressor
	o.closers = append(o.closers, compressor)
}

// Close writes what the compressors still hold.
func (o *output) Close() error {
	for _, one := range o.closers {
		if err := one.Close(); err != nil {
			return err
		}
	}
	return nil
}

// frameWriter writes ClickHouse's own compressed frames.
type frameWriter struct {
	to     io.Writer
	frames *compress.Writer
}

func (f *frameWriter) Write(data []byte) (int, error) {
	written := 0
	for written < len(data) {
		piece := data[written:min(len(data), written+maxFrame)]
		if err := f.frames.Compress(piece); err != nil {
			return written, err
		}
		if _, err := f.to.Write(f.frames.Data); err != nil {
			return written, err
		}
		written += len(piece)
	}
	return written, nil
}

// patientWriter lets an answer take as long as it needs, while the client reads.
type patientWriter struct {
	to      io.Writer
	control *http.ResponseController
	idle    time.Duration
}

func (p *patientWriter) Write(data []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(p.idle))
	return p.to.Write(data)
}

// streamed are the formats that write nothing around the rows as a whole, and so may go out in chunks.
var streamed = map[string]bool{
	"Native": true, "RowBinary": true, "TabSeparated": true, "TSV": true, "TabSeparatedRaw": true, "TSVRaw": true,
	"CSV": true, "JSONEachRow": true, "LineAsString": true,
}

func contentType(format string) string {
	switch {
	case strings.HasPrefix(format, "JSONEachRow"), strings.HasPrefix(format, "JSONCompactEachRow"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8"
	case strings.HasPrefix(format, "TabSeparated"), strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case format == "Native", format == "RowBinary", format == "Parquet", format == "Arrow", format == "ArrowStream":
		return "application/octet-stream"
	}
	return "text/plain; charset=UTF-8"
}
