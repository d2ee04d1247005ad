package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/feigeio/feige/internal/catchup"
	"github.com/feigeio/feige/schemas"
	ddl "github.com/feigeio/feige/schemas/clickhouse"
)

const (
	// lagDoubt is the lag from which a stage is said to be behind.
	lagDoubt = 100_000
	// skewDoubt is the difference of clocks from which it is mentioned.
	skewDoubt = 5 * time.Second
)

// checkTopics says which topics are missing or have a wrong number of partitions. It returns whether all are right.
func (d *doctor) checkTopics(ctx context.Context, admin *kadm.Client) bool {
	ns, want := d.settings.Namespace, d.settings.Kafka.Partitions
	details, err := admin.ListTopics(ctx)
	if err != nil {
		d.tell(trouble, "topics", err.Error(), "check the rights of kafka.sasl.username")
		return false
	}
	right := true
	count := 0
	for _, topic := range schemas.Topics() {
		name := ns.Topic(topic.Name)
		detail, ok := details[name]
		switch n := len(detail.Partitions); {
		case !ok || detail.Err != nil:
			d.tell(trouble, "topic "+name, "is missing", "feige topics apply")
			right = false
		case int32(n) != want && !topic.SingleOK:
			d.tell(trouble, "topic "+name, fmt.Sprintf("has %d partitions, the configuration says %d", n, want), fmt.Sprintf("set kafka.partitions to %d", n))
			right = false
		default:
			count++
		}
	}
	if right {
		d.tell(fine, "topics", fmt.Sprintf("%d are there, with %d partitions", count, want), "")
	}
	return right
}

func (d *doctor) checkLag(ctx context.Context, admin *kadm.Client) {
	lags, err := catchup.Measure(ctx, admin, stages(d.settings.Namespace))
	if err != nil {
		d.tell(trouble, "lag", err.Error(), "check the rights on consumer groups")
		return
	}
	for _, lag := range lags {
		subject := "lag of " + lag.Stage.Group
		if lag.Behind >= lagDoubt {
			d.tell(doubt, subject, fmt.Sprintf("%d records behind", lag.Behind), "is its role running? more instances help up to the number of partitions")
			continue
		}
		d.tell(fine, subject, fmt.Sprintf("%d records behind", lag.Behind), "")
	}
}

func (d *doctor) checkClickHouse(ctx context.Context) {
	s := d.settings
	conn, err := s.openWarehouse(ctx, s.Namespace)
	if err != nil {
		v, advice := d.away(s.ClickHouse.Addr, s.Embedded.ClickHouse.Addr)
		d.tell(v, "clickhouse", err.Error(), advice)
		return
	}
	defer conn.Close()
	var version string
	var now time.Time
	before := time.Now()
	if err := conn.QueryRow(ctx, "SELECT version(), now64(6)").Scan(&version, &now); err != nil {
		d.tell(trouble, "clickhouse", err.Error(), "check the rights of clickhouse.username")
		return
	}
	took := time.Since(before)
	d.tell(fine, "clickhouse", fmt.Sprintf("%s answers, version %s", s.ClickHouse.Addr[0], version), "")
	if skew := now.Sub(before.Add(took / 2)).Abs(); skew > skewDoubt+took {
		d.tell(doubt, "clocks", fmt.Sprintf("ClickHouse's differs from ours by %s", skew.Round(time.Millisecond)), "keep both in time (NTP): live event time is our clock")
	} else {
		d.tell(fine, "clocks", "agree", "")
	}
	d.checkSchema(ctx, conn)
}

func (d *doctor) checkSchema(ctx context.Context, conn driver.Conn) {
	database := d.settings.ClickHouse.DatabaseFor(d.settings.Namespace)
	known, err := ddl.Migrations()
	if err != nil {
		d.tell(trouble, "tables", err.Error(), "this binary is broken")
		return
	}
	var applied uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = ? AND name = 'schema_migrations'", database).Scan(&applied); err != nil {
		d.tell(trouble, "tables", err.Error(), "check the rights of clickhouse.username")
		return
	}
	if applied > 0 {
		if err := conn.QueryRow(ctx, "SELECT uniqExact(version) FROM "+database+".schema_migrations").Scan(&applied); err != nil {
			d.tell(trouble, "tables", err.Error(), "check the rights of clickhouse.username")
			return
		}
	}
	switch n := uint64(len(known)); {
	case applied < n:
		d.tell(trouble, "tables", fmt.Sprintf("database %s has %d of %d migrations", database, applied, n), "feige schema apply")
	case applied > n:
		d.tell(trouble, "tables", fmt.Sprintf("database %s has %d migrations, this binary knows %d", database, applied, n), "use the newer binary")
	default:
		d.tell(fine, "tables", fmt.Sprintf("database %s is up to date", database), "")
	}
}
