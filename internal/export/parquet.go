package export

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// rowGroup is how many rows are held until they are written.
const rowGroup = 50_000

type parquetSink struct {
	out     io.Writer
	options Options
	file    *parquet.GenericWriter[any]
	// place is where a column stands in the file: there they are in the order of their names.
	place []int
	rows  int
}

func newParquet(out io.Writer, o Options) *parquetSink { return &parquetSink{out: out, options: o} }

func (s *parquetSink) begin(t Table) error {
	group := parquet.Group{}
	var names []string
	settings := []parquet.WriterOption{
		parquet.Compression(&zstd.Codec{}), parquet.CreatedBy("feige", "", ""),
		parquet.KeyValueMetadata("feige.table", t.Name), parquet.KeyValueMetadata("feige.about", t.About), parquet.KeyValueMetadata("feige.period", s.options.PeriodName),
	}
	for _, c := range t.Columns {
		group[c.Name] = parquet.Optional(node(c.Kind))
		names = append(names, c.Name)
		settings = append(settings, parquet.KeyValueMetadata("feige.column."+c.Name, c.About))
	}
	slices.Sort(names)
	for _, c := range t.Columns {
		s.place = append(s.place, slices.Index(names, c.Name))
	}
	s.file = parquet.NewGenericWriter[any](s.out, append(settings, parquet.NewSchema(t.Name, group))...)
	return nil
}

func node(k Kind) parquet.Node {
	switch k {
	case Integer:
		return parquet.Int(64)
	case Number:
		return parquet.Leaf(parquet.DoubleType)
	case YesNo:
		return parquet.Leaf(parquet.BooleanType)
	case Instant:
		return parquet.Timestamp(parquet.Microsecond)
	}
	return parquet.String()
}

func (s *parquetSink) row(values []any) error {
	row := make(parquet.Row, len(values))
	for i, v := range values {
		at, defined := s.place[i], 1
		var p parquet.Value
		switch x := v.(type) {
		case nil:
			defined = 0
		case string:
			p = parquet.ValueOf(strings.ToValidUTF8(x, "\ufffd"))
		case time.Time:
			p = parquet.ValueOf(x.UnixMicro())
		default:
			p = parquet.ValueOf(v)
		}
		row[at] = p.Level(0, defined, at)
	}
	if _, err := s.file.WriteRows([]parquet.Row{row}); err != nil {
		return err
	}
	if s.rows++; s.rows%rowGroup == 0 {
		return s.file.Flush()
	}
	return nil
}

func (s *parquetSink) end() error { return s.file.Close() }
