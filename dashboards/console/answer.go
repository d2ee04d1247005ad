package console

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Asker runs statements in the database of the views: clickhouse-go's connection.
type Asker interface {
	Query(ctx context.Context, sql string, args ...any) (driver.Rows, error)
}

// answer is what a query gave.
type answer struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

func ask(ctx context.Context, conn Asker, sql string) (*answer, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("asking ClickHouse: %w", err)
	}
	defer rows.Close()
	types := rows.ColumnTypes()
	out := &answer{Columns: rows.Columns(), Rows: [][]any{}}
	for rows.Next() {
		into := make([]any, len(types))
		for i, kind := range types {
			into[i] = reflect.New(kind.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("reading ClickHouse's answer: %w", err)
		}
		row := make([]any, len(into))
		for i, v := range into {
			row[i] = plain(v, types[i].DatabaseTypeName())
		}
		out.Rows = append(out.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading ClickHouse's answer: %w", err)
	}
	return out, nil
}

// plain is a value as JSON has it: instants as UTC microseconds, days as 2026-11-05, what is no number as null.
func plain(v any, kind string) any {
	value := reflect.ValueOf(v)
	for value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return nil
		}
		value = value.Elem()
	}
	switch x := value.Interface().(type) {
	case time.Time:
		if kind == "Date" || kind == "Date32" {
			return x.Format(time.DateOnly)
		}
		return x.UnixMicro()
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return x
	case float32:
		return plain(float64(x), kind)
	case bool, string, json.Number:
		return x
	}
	if value.CanInt() || value.CanUint() {
		return value.Interface()
	}
	return fmt.Sprint(value.Interface())
}
