package clickhouse

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/feigeio/feige/internal/embedded/clickhouse/statement"
)

// engineFiles writes the engine's own configuration and returns the path of the main file. The engine must
// be given one: without it, it would read a config.xml from the working directory or the user's home.
func engineFiles(cfg Config) (string, error) {
	main, users := filepath.Join(cfg.Dir, "engine.xml"), filepath.Join(cfg.Dir, "users.xml")
	for _, file := range []struct {
		path string
		text *template.Template
	}{{main, engineTemplate}, {users, usersTemplate}} {
		var text bytes.Buffer
		err := file.text.Execute(&text, struct {
			Config
			UsersFile     string
			FixedSettings []string
			Rights        map[Role][]string
			External      []string
		}{cfg, users, statement.FixedSettings(), rights, externalRights})
		if err != nil {
			return "", fmt.Errorf("write the engine's configuration: %w", err)
		}
		if err := os.WriteFile(file.path, text.Bytes(), 0o600); err != nil {
			return "", fmt.Errorf("write the engine's configuration: %w", err)
		}
	}
	return main, nil
}

// rights of the roles. Nobody holds SOURCES (files, URLs, other servers), CREATE FUNCTION, CREATE DICTIONARY
// (whose source may be a program), BACKUP, or access management. Nobody but
// the admin, by CREATE TABLE, holds CREATE TEMPORARY TABLE: it is the right to table functions such as
// format(), which run SQL that stands in a string.
var rights = map[Role][]string{
	RoleAdmin: {
		"SHOW DATABASES, SHOW TABLES, SHOW COLUMNS, SHOW DICTIONARIES",
		"SELECT, INSERT, ALTER TABLE, ALTER VIEW, ALTER DATABASE",
		"CREATE DATABASE, CREATE TABLE, CREATE VIEW",
		"DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, KILL QUERY, CHECK, dictGet",
		"SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM MOVES, SYSTEM CLEANUP, SYSTEM FLUSH, SYSTEM SYNC REPLICA",
		"SYSTEM DROP MARK CACHE, SYSTEM DROP UNCOMPRESSED CACHE, SYSTEM DROP QUERY CACHE, SYSTEM VIEWS",
	},
	RoleWriter: {"SHOW DATABASES, SHOW TABLES, SHOW COLUMNS, SHOW DICTIONARIES, SELECT, INSERT, dictGet"},
	RoleReader: {"SHOW DATABASES, SHOW TABLES, SHOW COLUMNS, SHOW DICTIONARIES, SELECT, dictGet"},
}

// onlyReads tells the roles that change nothing.
func (r Role) onlyReads() bool { return r == RoleReader || r == RoleAnalyst || r == RoleAuditor }

// inEngine is the engine's role whose rights a role has.
func (r Role) inEngine() string {
	if r == RoleAuditor {
		return string(RoleReader)
	}
	return string(r)
}

// reading is the role for a request that must change nothing.
func (r Role) reading() Role {
	if r == RoleAnalyst || r == RoleAuditor {
		return r
	}
	return RoleReader
}

// externalRole creates the external tables of a request, and holds no other right: the structure of such a
// table is text from the client.
const externalRole = "external"

var externalRights = []string{"CREATE TEMPORARY TABLE, CREATE ARBITRARY TEMPORARY TABLE"}

var templateFuncs = template.FuncMap{"xml": func(text string) (string, error) {
	var escaped bytes.Buffer
	err := xml.EscapeText(&escaped, []byte(text))
	return escaped.String(), err
}}

// engineTemplate keeps the pools and caches small: the engine shares a small machine with its clients.
var engineTemplate = template.Must(template.New("engine").Funcs(templateFuncs).Parse(`<clickhouse>
  <users_config>{{xml .UsersFile}}</users_config>
  <max_server_memory_usage>{{.MaxMemoryBytes}}</max_server_memory_usage>
  <background_pool_size>{{.MergeThreads}}</background_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
  <tables_loader_foreground_pool_size>2</tables_loader_foreground_pool_size>
  <tables_loader_background_pool_size>2</tables_loader_background_pool_size>
  <mark_cache_size>67108864</mark_cache_size>
  <index_mark_cache_size>16777216</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <mmap_cache_size>64</mmap_cache_size>
  <compiled_expression_cache_size>16777216</compiled_expression_cache_size>
  <max_thread_pool_size>1000</max_thread_pool_size>
  <max_thread_pool_free_size>16</max_thread_pool_free_size>
  <max_io_thread_pool_size>8</max_io_thread_pool_size>
  <max_io_thread_pool_free_size>0</max_io_thread_pool_free_size>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>{{if .Fsync}}
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>{{end}}
  </merge_tree>
</clickhouse>
`))

// usersTemplate has one user, whom every session is, and the roles that a session can take on.
var usersTemplate = template.Must(template.New("users").Funcs(templateFuncs).Parse(`<clickhouse>
  <profiles>
    <default>
      <max_threads>{{.MaxThreads}}</max_threads>
      <max_insert_threads>1</max_insert_threads>
      <max_memory_usage>{{.MaxQueryMemoryBytes}}</max_memory_usage>
      <implicit_select>0</implicit_select>
      <allow_introspection_functions>0</allow_introspection_functions>
      <log_queries>0</log_queries>
      <query_profiler_real_time_period_ns>0</query_profiler_real_time_period_ns>
      <query_profiler_cpu_time_period_ns>0</query_profiler_cpu_time_period_ns>
      <input_format_values_interpret_expressions>0</input_format_values_interpret_expressions>
      <input_format_values_deduce_templates_of_expressions>0</input_format_values_deduce_templates_of_expressions>
      <constraints>
        <max_memory_usage><max>{{.MaxQueryMemoryBytes}}</max></max_memory_usage>
        <max_threads><max>64</max></max_threads>{{range .FixedSettings}}
        <{{.}}><readonly/></{{.}}>{{end}}
      </constraints>
    </default>
  </profiles>
  <quotas><default></default></quotas>
  <roles>{{range $role, $rights := .Rights}}
    <{{$role}}><grants>{{range $rights}}
      <query>GRANT {{.}} ON *.*</query>{{end}}
    </grants></{{$role}}>{{end}}
    <external><grants>{{range .External}}
      <query>GRANT {{.}} ON *.*</query>{{end}}
    </grants></external>
    <analyst><grants>
      <query>GRANT SHOW DATABASES ON *.*</query>{{range .AnalystGrants}}
      <query>GRANT {{xml .}}</query>{{end}}
    </grants></analyst>
  </roles>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT admin, writer, reader, external, analyst</query></grants>
    </default>
  </users>
</clickhouse>
`))
