package clickhouse_test

const childVariable = "FEIGE_TEST_CLICKHOUSE_CHILD"

func child(string) int { return 0 }
