package clickhouse_test

import (
	"context"
	"testing"
)

// BenchmarkInsert sends batches of rows with 20 columns; the clock stops when the last one is in the table.
func BenchmarkInsert(b *testing.B) {
	conn := connect(b, nil)
	ctx, db := context.Background(), database(b, conn)
	if err := conn.Exec(ctx, "CREATE TABLE "+db+".r ("+rowColumns+") ENGINE = MergeTree ORDER BY id"); err != nil {
		b.Fatal(err)
	}
	const rows = 10000
	made := make([]row, rows)
	for i := range made {
		made[i] = makeRow(i)
	}
	b.ResetTimer()
	for b.Loop() {
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+db+".r")
		if err != nil {
			b.Fatal(err)
		}
		for i := range made {
			if err := batch.AppendStruct(&made[i]); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkSmallQuery is what one request costs.
func BenchmarkSmallQuery(b *testing.B) {
	conn := connect(b, nil)
	for b.Loop() {
		var one uint8
		if err := conn.QueryRow(context.Background(), "SELECT 1").Scan(&one); err != nil {
			b.Fatal(err)
		}
	}
}
