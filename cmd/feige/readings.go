package main

import (
	"context"
	"errors"
	"sync/atomic"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	"github.com/feigeio/feige/internal/readlog"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// readings records what auditors read from the embedded ClickHouse, on audit.reads, where every other reading of chats is. The engine is
// up before Kafka: until readings are let in, auditors are refused.
type readings struct{ to atomic.Pointer[readlog.Log] }

var errNoReadings = errors.New("nothing takes records yet")

// open lets readings in; close must be called.
func (r *readings) open(p parts) error {
	log, err := readlog.New(p.settings.Kafka, p.namespace)
	if err != nil {
		return withCode(codeUsage, err)
	}
	r.to.Store(log)
	return nil
}

func (r *readings) close() {
	if log := r.to.Swap(nil); log != nil {
		log.Close()
	}
}

// keep returns nil once Kafka has the record.
func (r *readings) keep(ctx context.Context, reading eclickhouse.Reading) error {
	log := r.to.Load()
	if log == nil {
		return errNoReadings
	}
	return log.Write(ctx, &chatv1.ReadRecord{
		ReadId: reading.ID, AtUs: reading.At.UnixMicro(), AccountId: reading.Account, Role: string(eclickhouse.RoleAuditor), What: "sql",
		Address: reading.Address, Statement: reading.Statement,
	})
}
