package queries_test

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func newOf(kind driver.ColumnType) any { return reflect.New(kind.ScanType()).Interface() }

// show writes a value as the cookbook does: NULL, UTC times to the second, four decimals without trailing zeros.
func show(v any) string {
	value := reflect.ValueOf(v)
	for value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return "NULL"
		}
		value = value.Elem()
	}
	switch x := value.Interface().(type) {
	case time.Time:
		if x.Nanosecond() == 0 && x.Format("15:04:05") == "00:00:00" {
			return x.Format(time.DateOnly)
		}
		return x.UTC().Format(time.DateTime)
	case float64:
		text := strconv.FormatFloat(x, 'f', 4, 64)
		for text[len(text)-1] == '0' {
			text = text[:len(text)-1]
		}
		if text[len(text)-1] == '.' {
			text = text[:len(text)-1]
		}
		return text
	}
	return fmt.Sprint(value.Interface())
}
