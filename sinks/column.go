package sinks

import "time"

// columnOf holds the values of one column of a table in a batch. T is the type that the client library takes as
// a slice without looking at every value by reflection.
type columnOf[T any] struct {
	name string
	// kind is the type of the column in ClickHouse.
	kind   string
	values []T
	// blank tells the value that ClickHouse gives a row whose insert does not name the column; nil: it is always named.
	blank func(T) bool
}

// put sets the value of a row: the next one, or one that is there already.
func (c *columnOf[T]) put(row int, value T) {
	if row == len(c.values) {
		c.values = append(c.values, value)
		return
	}
	c.values[row] = value
}

func (c *columnOf[T]) head() (name, kind string) { return c.name, c.kind }
func (c *columnOf[T]) part(from, to int) any     { return c.values[from:to] }
func (c *columnOf[T]) length() int               { return len(c.values) }

func (c *columnOf[T]) needless(from, to int) bool {
	if c.blank == nil {
		return false
	}
	for _, value := range c.values[from:to] {
		if !c.blank(value) {
			return false
		}
	}
	return true
}

func (c *columnOf[T]) reset() {
	clear(c.values) // lets go of strings
	c.values = c.values[:0]
}

type column interface {
	head() (name, kind string)
	part(from, to int) any
	// needless tells that an insert of rows from..to says the same without the column.
	needless(from, to int) bool
	length() int
	reset()
}

// table holds the rows of one storage table in a batch. Every row knows the record that it came from.
type table struct {
	name    string
	columns []column
	// origins are places in the batch's records, one a row.
	origins []int32
}

func newTable(name string) *table { return &table{name: name} }

// add makes the next column of a table.
func add[T any](t *table, name, kind string) *columnOf[T] {
	c := &columnOf[T]{name: name, kind: kind, blank: blankOf[T]()}
	t.columns = append(t.columns, c)
	return c
}

// blankOf is for types whose zero is ClickHouse's default. Enumerations (int8) are not among them: theirs is the first of
// their values, whatever its number. Most columns of an event's row are blank, and of many batches' rows all.
func blankOf[T any]() func(T) bool {
	var f any
	switch any(*new(T)).(type) {
	case string:
		f = func(v string) bool { return v == "" }
	case bool:
		f = func(v bool) bool { return !v }
	case int64:
		f = func(v int64) bool { return v == 0 }
	case uint8:
		f = func(v uint8) bool { return v == 0 }
	case uint16:
		f = func(v uint16) bool { return v == 0 }
	case uint32:
		f = func(v uint32) bool { return v == 0 }
	case uint64:
		f = func(v uint64) bool { return v == 0 }
	default:
		return nil
	}
	blank, _ := f.(func(T) bool)
	return blank
}

func (t *table) rows() int { return len(t.origins) }

// next begins a row and returns its number: every column's value for it must be put then.
func (t *table) next(origin int32) int {
	t.origins = append(t.origins, origin)
	return len(t.origins) - 1
}

func (t *table) reset() {
	for _, c := range t.columns {
		c.reset()
	}
	t.origins = t.origins[:0]
}

// Types of columns in ClickHouse, as the files of schemas/clickhouse have them.
const (
	kindTime      = "DateTime64(6, 'UTC')"
	kindMaybeTime = "Nullable(DateTime64(6, 'UTC'))"
	kindWord      = "LowCardinality(String)"
	kindWords     = "Array(LowCardinality(String))"
	kindRole      = "Enum8('unspecified' = 0, 'consumer' = 1, 'agent' = 2, 'bot' = 3, 'system' = 4)"
)

// Bounds of a time that any record may hold, UTC microseconds: the years 2000 to 2199.
const (
	earliestUS = 946684800_000000
	latestUS   = 7258118400_000000
)

func validTime(us int64) bool { return us >= earliestUS && us < latestUS }

// checkTimes wants every time to be valid; with 0 allowed where a time may be missing.
func checkTimes(what string, must int64, may ...int64) *refusal {
	if !validTime(must) {
		return refuse(CodeInvalid, "%s: time %d µs is not between 2000 and 2200", what, must)
	}
	for _, us := range may {
		if us != 0 && !validTime(us) {
			return refuse(CodeInvalid, "%s: time %d µs is not between 2000 and 2200", what, us)
		}
	}
	return nil
}

func instant(us int64) time.Time { return time.UnixMicro(us).UTC() }

// maybe is a time that may be missing: 0.
func maybe(us int64) *time.Time {
	if us == 0 {
		return nil
	}
	t := instant(us)
	return &t
}
