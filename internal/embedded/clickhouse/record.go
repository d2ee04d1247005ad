package clickhouse

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/feigeio/feige/internal/embedded/clickhouse/statement"
)

// maxRecorded bounds the statement in a record, bytes.
const maxRecorded = 8 << 10

// record keeps the record of an auditor's statement. Nothing may be read before it returns nil.
func (s *Server) record(r *http.Request, account, text string) error {
	if s.keep == nil {
		return faultf(codeAccessDenied, "%s: what this account reads is recorded, and there is nothing here to record it with", account)
	}
	shape, err := statement.Shape(text)
	if err != nil {
		return err
	}
	if len(shape) > maxRecorded {
		shape = strings.ToValidUTF8(shape[:maxRecorded], "") + "…"
	}
	id, err := uuid.NewV7()
	if err != nil {
		return faultf(codeNetwork, "no id for a record: %v", err)
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	if err := s.keep(r.Context(), Reading{ID: id.String(), At: time.Now(), Account: account, Address: address, Statement: shape}); err != nil {
		s.log.Warn("embedded clickhouse: a reading cannot be recorded, so it is refused", "account", account, "error", err)
		return faultf(codeNetwork, "the reading cannot be recorded now, so nothing is read; try again")
	}
	return nil
}
