package export

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"

	"github.com/feigeio/feige/internal/worktime"
)

// canned answers every query with the same rows; fail comes after them.
type canned struct {
	rows [][]any
	fail error
	sql  []string
}

func (c *canned) Query(_ context.Context, sql string, _ ...any) (driver.Rows, error) {
	c.sql = append(c.sql, sql)
	return &cannedRows{canned: c, at: -1}, nil
}

type cannedRows struct {
	driver.Rows
	*canned
	at int
}

func (r *cannedRows) Next() bool   { r.at++; return r.at < len(r.rows) }
func (r *cannedRows) Err() error   { return r.fail }
func (r *cannedRows) Close() error { return nil }
func (r *cannedRows) Scan(cells ...any) error {
	for i, v := range r.rows[r.at] {
		to := reflect.ValueOf(cells[i]).Elem()
		if v == nil {
			to.SetZero()
			continue
		}
		p := reflect.New(to.Type().Elem())
		p.Elem().Set(reflect.ValueOf(v))
		to.Set(p)
	}
	return nil
}

var (
	shanghai = time.FixedZone("CST", 8*3600)
	sample   = Table{Name: "sample", About: "Rows", view: "v", where: "1", order: "1", Columns: []Column{
		text("shop_id", "shop_id", "Shop"), integer("n", "n", "Number"), number("rate", "rate", "Share"), yesNo("ok", "ok", "Fine"), instant("at", "at", "When"),
	}}
	at     = time.Date(2026, 11, 5, 6, 7, 8, 90_000, time.UTC)
	nasty  = []string{"plain", "it's a shop", "🏪 店铺", `'; DROP TABLE rounds_data; --`, `back\' slash\`, "=1+1", "-2", "@x", "a,\"b\"\nc", "\x01\xff", ""}
	answer = func() [][]any {
		rows := [][]any{{nil, nil, nil, nil, nil}}
		for i, name := range nasty {
			rows = append(rows, []any{name, int64(i) << 40, 0.1 * float64(i), i%2 == 0, at})
		}
		return rows
	}()
)

func options(f Format) Options {
	return Options{Format: f, Tables: []Table{sample}, Database: "db", Period: worktime.Span{Start: 1, End: 2}, PeriodName: "2026-11-H1", Location: shanghai}
}

func write(t *testing.T, o Options) []byte {
	t.Helper()
	var out bytes.Buffer
	rows, err := Write(t.Context(), &canned{rows: answer}, &out, o)
	if err != nil || rows != int64(len(answer)*len(o.Tables)) {
		t.Fatalf("%d rows, %v", rows, err)
	}
	return out.Bytes()
}

func TestCSV(t *testing.T) {
	t.Parallel()
	read := func(o Options) [][]string {
		data := write(t, o)
		if o.BOM != bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
			t.Errorf("BOM asked for: %t; the file begins with %q", o.BOM, data[:3])
		}
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	o := options(CSV)
	rows := read(o)
	if want := []string{"shop_id", "n", "rate", "ok", "at"}; !reflect.DeepEqual(rows[0], want) {
		t.Errorf("head %q", rows[0])
	}
	if want := []string{"", "", "", "", ""}; !reflect.DeepEqual(rows[1], want) {
		t.Errorf("missing values %q", rows[1])
	}
	if want := []string{"it's a shop", "1099511627776", "0.1", "false", "2026-11-05T14:07:08.00009+08:00"}; !reflect.DeepEqual(rows[3], want) {
		t.Errorf("a row %q, want %q", rows[3], want)
	}
	guarded := map[string]string{"=1+1": "'=1+1", "-2": "'-2", "@x": "'@x"}
	for i, name := range nasty {
		want := name
		if g, ok := guarded[name]; ok {
			want = g
		}
		if got := rows[i+2][0]; got != want {
			t.Errorf("%q is written as %q", name, got)
		}
	}
	o.BOM, o.Verbatim = true, true
	rows = read(o)
	for i, name := range nasty {
		if got := rows[i+2][0]; got != name {
			t.Errorf("verbatim, %q is written as %q", name, got)
		}
	}
}

func TestXLSX(t *testing.T) {
	t.Parallel()
	other := sample
	other.Name = "other"
	o := options(XLSX)
	o.Tables = []Table{sample, other}
	book, err := excelize.OpenReader(bytes.NewReader(write(t, o)))
	if err != nil {
		t.Fatal(err)
	}
	if got := book.GetSheetList(); !reflect.DeepEqual(got, []string{"sample", "other", "about"}) {
		t.Errorf("sheets %v", got)
	}
	for _, sheet := range []string{"sample", "other"} {
		rows, err := book.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(answer)+1 || rows[3][0] != "it's a shop" || rows[4][0] != "🏪 店铺" || rows[5][0] != nasty[3] || rows[3][1] != "1099511627776" {
			t.Errorf("%s: %q", sheet, rows)
		}
		for i, name := range nasty {
			cell, _ := excelize.CoordinatesToCellName(1, i+3)
			if formula, _ := book.GetCellFormula(sheet, cell); formula != "" {
				t.Errorf("%q is the formula %q", name, formula)
			}
			if kind, _ := book.GetCellType(sheet, cell); name != "" && kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString {
				t.Errorf("%q is of type %v", name, kind)
			}
		}
		if shown, _ := book.GetCellValue(sheet, "E4"); shown != "2026-11-05 14:07:08" {
			t.Errorf("a time is shown as %q", shown)
		}
	}
	about, _ := book.GetRows("about")
	if len(about) != 11 || about[5][2] != "When (CST)" {
		t.Errorf("about %q", about)
	}
}

func TestXLSXGoesOnOnAnotherSheet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := newXLSX(&out, options(XLSX))
	s.rowsASheet = 5
	if _, err := table(t.Context(), &canned{rows: answer}, s, sample, options(XLSX)); err != nil {
		t.Fatal(err)
	}
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, sheet := range book.GetSheetList() {
		if rows, _ := book.GetRows(sheet); strings.HasPrefix(sheet, "sample") {
			total += len(rows) - 1
		}
	}
	if want := []string{"sample", "sample 2", "sample 3", "about"}; !reflect.DeepEqual(book.GetSheetList(), want) || total != len(answer) {
		t.Errorf("sheets %v with %d rows", book.GetSheetList(), total)
	}
}

func TestParquet(t *testing.T) {
	t.Parallel()
	data := write(t, options(Parquet))
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if about, ok := file.Lookup("feige.column.rate"); !ok || about != "Share" {
		t.Errorf("a column is explained as %q", about)
	}
	type row struct {
		Shop *string    `parquet:"shop_id,optional"`
		N    *int64     `parquet:"n,optional"`
		Rate *float64   `parquet:"rate,optional"`
		OK   *bool      `parquet:"ok,optional"`
		At   *time.Time `parquet:"at,optional,timestamp(microsecond)"`
	}
	rows, err := parquet.Read[row](bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(answer) || rows[0].Shop != nil || rows[0].At != nil {
		t.Fatalf("%d rows, the first %+v", len(rows), rows[0])
	}
	for i, name := range nasty {
		r := rows[i+1]
		if *r.Shop != strings.ToValidUTF8(name, "\ufffd") || *r.N != int64(i)<<40 || *r.Rate != 0.1*float64(i) || *r.OK != (i%2 == 0) || !r.At.Equal(at.Truncate(time.Microsecond)) {
			t.Errorf("%q: %q %d %v %v %v", name, *r.Shop, *r.N, *r.Rate, *r.OK, r.At)
		}
	}
}

func TestFileIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	for _, f := range []Format{CSV, XLSX, Parquet} {
		dir := t.TempDir()
		path := filepath.Join(dir, "out")
		if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("the connection broke")
		if _, err := File(t.Context(), &canned{rows: answer, fail: broken}, path, options(f)); !errors.Is(err, broken) {
			t.Fatalf("%s: %v", f, err)
		}
		if data, _ := os.ReadFile(path); string(data) != "before" {
			t.Errorf("%s: a broken export left %q", f, data)
		}
		if rows, err := File(t.Context(), &canned{rows: answer}, path, options(f)); err != nil || rows != int64(len(answer)) {
			t.Fatalf("%s: %d, %v", f, rows, err)
		}
		files, _ := os.ReadDir(dir)
		if data, _ := os.ReadFile(path); len(files) != 1 || len(data) < 100 {
			t.Errorf("%s: %d files, %d bytes", f, len(files), len(data))
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	refuse := func(name, want string, change func(*Options)) {
		o := options(CSV)
		change(&o)
		if _, err := Write(t.Context(), &canned{}, io.Discard, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	refuse("format", `format "pdf"`, func(o *Options) { o.Format = "pdf" })
	refuse("no table", "no table", func(o *Options) { o.Tables = nil })
	refuse("two tables in one CSV", "one table", func(o *Options) { o.Tables = []Table{sample, sample} })
	refuse("period", "period is empty", func(o *Options) { o.Period.End = 1 })
	if _, err := Find([]string{"texts"}); err == nil || !strings.Contains(err.Error(), `no table "texts"`) || !strings.Contains(err.Error(), "rounds") {
		t.Error(err)
	}
	if _, err := Find([]string{"rounds", "rounds"}); err == nil {
		t.Error("a table twice")
	}
	if found, err := Find(nil); err != nil || len(found) != 1 || found[0].Name != "shops" {
		t.Error(found, err)
	}
}

func FuzzHarmless(f *testing.F) {
	for _, name := range nasty {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Harmless(text)
		if got != "" && strings.ContainsRune("=+-@\t\r\n", rune(got[0])) || strings.TrimPrefix(got, "'") != text && got != text {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}
