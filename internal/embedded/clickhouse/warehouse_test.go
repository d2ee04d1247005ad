package clickhouse_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/feigeio/feige/internal/warehouse"
)

// TestWarehouseOpens reaches the embedded engine the way the product does.
func TestWarehouseOpens(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"lz4", "zstd", "none"} {
		cfg := warehouse.DefaultConfig()
		cfg.Addr = []string{server(t).Addr()}
		cfg.Database = "not_made_yet"
		cfg.Compression = compression
		conn, err := warehouse.Open(context.Background(), cfg, "some_namespace")
		if err != nil {
			t.Fatalf("%s: %v", compression, err)
		}
		version, err := conn.ServerVersion()
		if err != nil || !strings.HasPrefix(server(t).Version(), version.Version.String()) {
			t.Errorf("version %v, %v; the server says %s", version, err, server(t).Version())
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	cfg := warehouse.DefaultConfig()
	cfg.Addr = []string{server(t).Addr()}
	cfg.Username, cfg.Password = "reader", "wrong"
	_, err := warehouse.Open(context.Background(), cfg, "")
	oneLine(t, err, "clickhouse at "+server(t).Addr(), "refuses", "reader", "Authentication failed")
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) || exception.Code != 516 {
		t.Errorf("%v is not typed", err)
	}
}
