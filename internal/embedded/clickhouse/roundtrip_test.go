package clickhouse_test

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// row has one field of each type that the product may use.
type row struct {
	ID      uint64            `ch:"id"`
	Small   int8              `ch:"small"`
	UUID    uuid.UUID         `ch:"uuid"`
	At      time.Time         `ch:"at"`
	Day     time.Time         `ch:"day"`
	Kind    string            `ch:"kind"`
	Maybe   *int32            `ch:"maybe"`
	Words   []string          `ch:"words"`
	Counts  map[string]uint64 `ch:"counts"`
	Ratio   float64           `ch:"ratio"`
	Money   decimal.Decimal   `ch:"money"`
	Flag    bool              `ch:"flag"`
	Letter  string            `ch:"letter"`
	Pair    []any             `ch:"pair"`
	Fixed   string            `ch:"fixed"`
	IP      net.IP            `ch:"ip"`
	Nested  [][]int64         `ch:"nested"`
	Second  time.Time         `ch:"second"`
	Text    string            `ch:"text"`
	Nothing *string           `ch:"nothing"`
}

const rowColumns = `id UInt64, small Int8, uuid UUID, at DateTime64(6, 'UTC'), day Date, kind LowCardinality(String),
	maybe Nullable(Int32), words Array(String), counts Map(String, UInt64), ratio Float64, money Decimal(18, 4), flag Bool,
	letter Enum8('a' = 1, 'b' = 2), pair Tuple(x UInt8, y String), fixed FixedString(4), ip IPv4, nested Array(Array(Int64)),
	second DateTime('UTC'), text String, nothing Nullable(String)`

func makeRow(i int) row {
	var maybe *int32
	if i%3 == 0 {
		negative := int32(-i)
		maybe = &negative
	}
	return row{
		ID: uint64(i), Small: int8(i % 128), UUID: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i)),
		At: time.UnixMicro(1700000000000000 + int64(i)).UTC(), Day: time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC),
		Kind: fmt.Sprintf("kind-%d", i%7), Maybe: maybe, Words: []string{"a", fmt.Sprint(i)}, Counts: map[string]uint64{"z": uint64(i)},
		Ratio: float64(i) / 3, Money: decimal.New(int64(i)*10000+1234, -4), Flag: i%2 == 0, Letter: []string{"a", "b"}[i%2],
		Pair: []any{uint8(i % 256), "y"}, Fixed: "abcd", IP: net.IPv4(10, 0, 0, byte(i)).To4(), Nested: [][]int64{{1, 2}, {int64(i)}},
		Second: time.Unix(1700000000+int64(i), 0).UTC(), Text: "亲，在的 \x00 \t\n'\\` é",
	}
}

func TestTypesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, compression := range []struct {
		name   string
		method clickhouse.CompressionMethod
	}{
		{"none", clickhouse.CompressionNone}, {"lz4", clickhouse.CompressionLZ4}, {"zstd", clickhouse.CompressionZSTD},
		{"gzip", clickhouse.CompressionGZIP}, {"deflate", clickhouse.CompressionDeflate},
	} {
		t.Run(compression.name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, func(o *clickhouse.Options) {
				o.Compression = &clickhouse.Compression{Method: compression.method, Level: 1}
				if compression.method == clickhouse.CompressionGZIP || compression.method == clickhouse.CompressionDeflate {
					o.Settings = clickhouse.Settings{"enable_http_compression": 1}
				}
			})
			ctx, db := context.Background(), database(t, conn)
			if err := conn.Exec(ctx, "CREATE TABLE "+db+".r ("+rowColumns+") ENGINE = MergeTree ORDER BY id"); err != nil {
				t.Fatal(err)
			}
			const rows = 1000
			batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+db+".r")
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				one := makeRow(i)
				if err := batch.AppendStruct(&one); err != nil {
					t.Fatal(err)
				}
			}
			if err := batch.Send(); err != nil {
				t.Fatal(err)
			}
			result, err := conn.Query(ctx, "SELECT * FROM "+db+".r ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = result.Close() }()
			count := 0
			for result.Next() {
				var got row
				if err := result.ScanStruct(&got); err != nil {
					t.Fatal(err)
				}
				want := makeRow(count)
				if !want.Money.Equal(got.Money) {
					t.Fatalf("row %d: money %s, want %s", count, got.Money, want.Money)
				}
				got.Money = want.Money
				got.IP = got.IP.To4()
				for _, at := range []*time.Time{&got.At, &got.Day, &got.Second} {
					*at = at.UTC()
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("row %d:\n got %+v\nwant %+v", count, got, want)
				}
				count++
			}
			if err := result.Err(); err != nil || count != rows {
				t.Fatalf("%d rows, want %d; error %v", count, rows, err)
			}
		})
	}
}
