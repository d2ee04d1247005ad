package clickhouse

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
)

// helloQuery is what clickhouse-go asks first. It reads the answer at its own protocol revision and all that
// follows at the revision it is told here. The library writes Native at revision 0 only: so that is told.
const helloQuery = "SELECT displayName(), version(), revision(), timezone()"

// maxRevision is the newest revision at which a block is still laid out as this package writes it.
const maxRevision = 1 << 20

// helloRevision is the client's revision when it asks the hello, or 0.
func helloRevision(query url.Values, text, format string) int {
	revision, err := strconv.Atoi(query.Get("client_protocol_version"))
	if err != nil || revision <= 0 || revision > maxRevision || format != "Native" || strings.TrimSpace(text) != helloQuery {
		return 0
	}
	return revision
}

// hello is one Native block at the client's revision.
func (s *Server) hello(revision int) ([]byte, error) {
	var out proto.Buffer
	var name, version, timezone proto.ColStr
	var zero proto.ColUInt32
	name.Append(s.displayName)
	version.Append(s.version)
	zero.Append(0)
	timezone.Append(s.timezone)
	columns := proto.Input{
		{Name: "displayName()", Data: &name},
		{Name: "version()", Data: &version},
		{Name: "revision()", Data: &zero},
		{Name: "timezone()", Data: &timezone},
	}
	block := proto.Block{Info: proto.BlockInfo{BucketNum: -1}, Columns: len(columns), Rows: 1}
	if err := block.EncodeBlock(&out, revision, columns); err != nil {
		return nil, fmt.Errorf("answer the client's hello at revision %d: %w", revision, err)
	}
	return out.Buf, nil
}
