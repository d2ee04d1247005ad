package clickhouse

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/feigeio/feige/internal/embedded/clickhouse/chdb"
	"github.com/feigeio/feige/internal/embedded/clickhouse/statement"
)

// session is one request's session in the engine.
type session struct {
	*chdb.Conn
	tag    string
	params []chdb.Param
}

// reserved are URL parameters that are no settings.
var reserved = map[string]bool{
	"query": true, "database": true, "default_format": true, "user": true, "password": true, "quota_key": true,
	"query_id": true, "session_id": true, "session_timeout": true, "session_check": true, "stacktrace": true,
	"compress": true, "decompress": true, "client_protocol_version": true, "buffer_size": true,
	"wait_end_of_query": true, "role": true, "close_session": true, "http_write_exception_in_output_format": true,
	// The tag by which a statement is cancelled stands in log_comment.
	"log_comment": true,
	// The answer's own affair, done by this server.
	"enable_http_compression": true, "http_zlib_compression_level": true,
	"network_compression_method": true, "network_zstd_compression_level": true,
}

// open makes a session with the request's database, settings, and rights.
func (s *Server) open(role Role, query url.Values, database string, external map[string]bool) (*session, error) {
	conn, err := s.engine.Open()
	if err != nil {
		return nil, faultf(codeNetwork, "no session: %v", err)
	}
	out := &session{Conn: conn, tag: newTag()}
	if err := s.prepare(out, role, query, database, external); err != nil {
		conn.Close()
		return nil, err
	}
	return out, nil
}

func (s *Server) prepare(out *session, role Role, query url.Values, database string, external map[string]bool) error {
	if database != "" && database != "default" {
		if err := out.Exec("USE " + quoteName(database)); err != nil {
			return err
		}
	}
	settings := []string{"log_comment=" + quoteText(out.tag)}
	for _, key := range sortedKeys(query) {
		value := query.Get(key)
		switch {
		case reserved[key] || external[key]:
		case strings.HasPrefix(key, "param_"):
			out.params = append(out.params, chdb.Param{Name: key[len("param_"):], Value: value})
		case !isName(key):
			return faultf(codeUnknownSetting, "%q is no setting", key)
		case statement.IsFixed(key):
			return faultf(codeReadOnly, "Setting %s should not be changed", key)
		case role.onlyReads() && !harmless(key):
			return faultf(codeReadOnly, "Cannot modify '%s' setting in readonly mode", key)
		default:
			settings = append(settings, key+"="+quoteText(value))
		}
	}
	return out.Exec("SET " + strings.Join(settings, ", "))
}

// drop gives up the rights that the role does not have.
func (out *session) drop(role Role) error {
	if role == RoleAdmin {
		return nil // a session begins with all roles, and this one has all that the others have
	}
	if err := out.Exec("SET ROLE " + role.inEngine()); err != nil {
		return err
	}
	switch role {
	case RoleReader, RoleAnalyst, RoleAuditor:
		return out.Exec("SET readonly=1")
	case RoleWriter:
		return out.Exec("SET allow_ddl=0")
	}
	return nil
}

// harmless are the settings that a reader may give in the URL: limits, and how the answer is written.
func harmless(key string) bool {
	switch key {
	case "max_execution_time", "max_result_rows", "max_result_bytes", "max_rows_to_read", "max_bytes_to_read",
		"max_block_size", "max_threads", "result_overflow_mode", "read_overflow_mode", "timeout_overflow_mode",
		"date_time_output_format", "date_time_input_format", "join_use_nulls", "extremes", "final", "limit", "offset", "prefer_column_name_to_alias",
		"session_timezone", "use_query_cache", "cancel_http_readonly_queries_on_client_close", "send_progress_in_http_headers",
		"http_headers_progress_interval_ms", "connect_timeout", "receive_timeout", "send_timeout", "group_by_use_nulls", "output_format_json_quote_64bit_integers":
		return true
	}
	return strings.HasPrefix(key, "output_format_")
}

// killWhenGone cancels the session's statement once ctx ends, and goes on until done is closed: the
// statement may not have begun when the first attempt is made.
func (s *Server) killWhenGone(ctx context.Context, tag string, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	for {
		if conn, err := s.engine.Open(); err == nil {
			_ = conn.Exec("KILL QUERY WHERE Settings['log_comment']=" + quoteText(tag) + " ASYNC")
			conn.Close()
		}
		select {
		case <-done:
			return
		case <-time.After(killInterval):
		}
	}
}

const (
	killInterval = 200 * time.Millisecond
	lockPoll     = 100 * time.Millisecond
)

func newTag() string {
	var random [16]byte
	_, _ = rand.Read(random[:])
	return "request:" + hex.EncodeToString(random[:])
}

func sortedKeys(query url.Values) []string {
	keys := make([]string, 0, len(query))
	for key := range query {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func quoteText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`).Replace(text) + "'"
}

func quoteName(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`", "\x00", `\0`).Replace(name) + "`"
}

// isName accepts what may stand unquoted as a name.
func isName(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}
