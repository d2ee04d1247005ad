package statement

import "strings"

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(names) {
		m[strings.ToLower(name)] = true
	}
	return m
}

// verbs that a statement may begin with. Sessions end with the request, so SET and USE change nothing, but
// some clients send them.
var verbs = set(`SELECT WITH FROM VALUES ( SHOW DESCRIBE DESC EXPLAIN EXISTS CHECK INSERT CREATE ALTER DROP UNDROP
	RENAME EXCHANGE TRUNCATE OPTIMIZE ATTACH DETACH DELETE UPDATE REPLACE SET USE KILL SYSTEM`)

// functions, of tables or scalars, that reach outside the data directory, run programs, or run SQL that
// stands in a string.
var functions = set(`file fileCluster filesystem url urlCluster s3 s3Cluster gcs oss cosn s3express azureBlobStorage azureBlobStorageCluster
	hdfs hdfsCluster remote remoteSecure cluster clusterAllReplicas mysql postgresql mongodb redis sqlite odbc jdbc
	iceberg icebergCluster icebergS3 icebergS3Cluster icebergLocal icebergLocalCluster icebergAzure icebergAzureCluster icebergHDFS icebergHDFSCluster
	deltaLake deltaLakeCluster deltaLakeS3 deltaLakeS3Cluster deltaLakeAzure deltaLakeAzureCluster deltaLakeLocal deltaLakeLocalCluster
	hudi hudiCluster paimon paimonS3 paimonAzure paimonHDFS paimonLocal paimonCluster paimonS3Cluster paimonAzureCluster paimonHDFSCluster
	executable executablePool arrowStream arrowFlight ytsaurus python eval kql input fuzzQuery fuzzJSON catboostEvaluate disk
	aiGenerate aiClassify aiExtract aiTranslate aiEmbed`)

// names that must not stand in a statement even without a bracket behind: SELECT * APPLY file calls the
// function that reads any file, and the engine holds no right against it. A column of that name can be
// reached as t.file.
var names = set(`file catboostEvaluate`)

// engines that keep their data in the data directory, or in memory, or nowhere.
var engines = set(`MergeTree ReplacingMergeTree SummingMergeTree AggregatingMergeTree CollapsingMergeTree VersionedCollapsingMergeTree
	CoalescingMergeTree GraphiteMergeTree ReplicatedMergeTree ReplicatedReplacingMergeTree ReplicatedSummingMergeTree
	ReplicatedAggregatingMergeTree ReplicatedCollapsingMergeTree ReplicatedVersionedCollapsingMergeTree
	Memory Null Log TinyLog StripeLog Set Join Buffer Merge Atomic View MaterializedView GenerateRandom`)

// objects that CREATE, ATTACH, and REPLACE may name.
var objects = set(`DATABASE TABLE VIEW INDEX`)

// FixedSettings are those whose value is a file, another machine, SQL in a string, or another grammar. The
// engine's profile fixes them as well.
func FixedSettings() []string {
	return strings.Fields(`dialect implicit_select implicit_table_at_top_level compatibility
		format_schema format_schema_source format_schema_message_name output_format_schema
		format_template_resultset format_template_row format_avro_schema_registry_url
		input_format_record_errors_file_path rename_files_after_processing
		additional_result_filter additional_table_filters parallel_replicas_custom_key schema_inference_hints`)
}

// ownSettings are set by this server, and by nobody else.
const ownSettings = `log_comment readonly allow_ddl input_format_values_interpret_expressions input_format_values_deduce_templates_of_expressions`

// settings that no statement may give.
var settings = set(strings.Join(FixedSettings(), " ") + " " + ownSettings)

// IsFixed says whether a setting may not be given by a client.
func IsFixed(setting string) bool { return settings[strings.ToLower(setting)] }

// Verbs of users who may not change tables. The engine lets anybody kill what runs under the same engine
// user, and all sessions are the same.
var (
	readVerbs  = set(`SELECT WITH FROM VALUES ( SHOW DESCRIBE DESC EXPLAIN EXISTS CHECK SET USE`)
	writeVerbs = set(`INSERT`)
)

// MayRead says whether a user who may only read may ask this.
func (s *Statement) MayRead() bool { return readVerbs[strings.ToLower(s.Verb)] }

// MayWrite says whether a user who may read and insert may ask this.
func (s *Statement) MayWrite() bool { return s.MayRead() || writeVerbs[strings.ToLower(s.Verb)] }

// Check refuses what no user of this server may ask, whatever the user's rights in the engine.
func (s *Statement) Check() error {
	if !verbs[strings.ToLower(s.Verb)] || s.tokens[0].Kind == Name {
		switch s.Verb {
		case "BACKUP", "RESTORE", "GRANT", "REVOKE", "EXECUTE", "MOVE", "IMPORT", "COPY":
			return denied("%s is not available in the embedded engine", s.Verb)
		}
		return &Error{Code: CodeSyntax, Message: "Syntax error: failed at position 1 (" + shorten(s.Verb) + ")"}
	}
	for i, t := range s.tokens {
		if err := s.checkToken(i, t); err != nil {
			return err
		}
	}
	switch s.Verb {
	case "CREATE", "ATTACH", "REPLACE":
		return s.checkCreate()
	case "SET":
		if s.next(0).Is("ROLE") || s.next(0).Is("DEFAULT") {
			return denied("roles follow from the user and cannot be set")
		}
	case "SYSTEM":
		if w := s.next(0); w.Is("SHUTDOWN") || w.Is("KILL") || w.Is("SUSPEND") || w.Is("RELOAD") {
			return denied("SYSTEM %s is not available in the embedded engine", strings.ToUpper(w.Text))
		}
	}
	return nil
}

func (s *Statement) next(i int) Token {
	if i+1 < len(s.tokens) {
		return s.tokens[i+1]
	}
	return Token{}
}

func (s *Statement) checkToken(i int, t Token) error {
	name := strings.ToLower(t.identifier())
	if name == "" {
		return nil
	}
	next := s.next(i)
	switch {
	case functions[name] && next.Is("(") && !s.namesTable(i):
		return denied("the function %s reaches outside the data directory and is not available", t.Text)
	case name == "format" && next.Is("(") && !s.isPattern(i+2) && !s.namesTable(i):
		return denied("the table function format runs SQL that stands in a string, and is not available (the function format wants its pattern as text)")
	case names[name] && !s.isColumn(i) && !s.namesTable(i):
		return denied("the name %s is that of a function that reads files; write a column as table.%s", t.Text, t.Text)
	case settings[name] && (next.Is("=") || strings.Contains(name, "_")):
		return denied("the setting %s cannot be changed here", t.Text)
	case t.Is("PARALLEL") && next.Is("WITH"):
		return denied("PARALLEL WITH is not available: send the statements one by one")
	case t.Is("OUTFILE") || t.Is("INFILE"):
		if i > 0 && (s.tokens[i-1].Is("INTO") || s.tokens[i-1].Is("FROM")) {
			return denied("INTO OUTFILE and FROM INFILE are not available over HTTP")
		}
	}
	return nil
}

// isColumn says that the name at i can be that of a column only: among those of an INSERT with data, declared
// in CREATE TABLE, or reached through its table, t.file.
func (s *Statement) isColumn(i int) bool {
	if i < 2 {
		return false
	}
	before, next := s.tokens[i-1], s.next(i)
	begins := s.tokens[i].Depth == 1 && (before.Is("(") || before.Is(","))
	switch {
	case before.Is("."):
		return s.tokens[i-2].identifier() != "" && !next.Is("(")
	case s.Insert && begins && !s.has("FUNCTION"):
		return next.Is(",") || next.Is(")")
	case s.Verb == "CREATE" && begins:
		return next.Kind == Word && !clauses[strings.ToLower(next.Text)]
	}
	return false
}

// isPattern tells format('{} of {}', a, b) from the table function format(CSV, ...): the name of a format has
// no braces.
func (s *Statement) isPattern(i int) bool {
	return i < len(s.tokens) && s.tokens[i].Kind == String && strings.Contains(s.tokens[i].Text, "{")
}

// namesTable says that the name at i, though a bracket follows, is that of a table: INSERT INTO url (a),
// CREATE TABLE file (a Int8).
func (s *Statement) namesTable(i int) bool {
	if i == 0 || s.Verb != "INSERT" && s.Verb != "CREATE" {
		return false
	}
	before := s.tokens[i-1]
	return i <= 6 && (before.Is("INTO") || before.Is("TABLE") || before.Is("EXISTS"))
}

func (s *Statement) checkCreate() error {
	object := ""
	for _, t := range s.tokens[1:] {
		if t.Is("OR") || t.Is("REPLACE") || t.Is("TEMPORARY") || t.Is("MATERIALIZED") || t.Is("UNIQUE") {
			continue
		}
		object = t.Text
		if t.Kind != Word {
			object = ""
		}
		break
	}
	if !objects[strings.ToLower(object)] {
		return denied("%s %s is not available in the embedded engine", s.Verb, shorten(object))
	}
	for i, t := range s.tokens {
		if t.Is("ENGINE") {
			if err := s.checkEngine(i); err != nil {
				return err
			}
		}
		if s.Verb == "ATTACH" && t.Is("FROM") {
			return denied("ATTACH ... FROM a path is not available")
		}
	}
	return nil
}

func (s *Statement) checkEngine(i int) error {
	named := s.next(i)
	explicit := named.Is("=")
	if explicit {
		named = s.next(i + 1)
	}
	name := named.identifier()
	if engines[strings.ToLower(name)] {
		return nil
	}
	// A column may be called engine: SELECT engine FROM system.tables.
	if !explicit && (name == "" || named.Kind == Word && clauses[strings.ToLower(name)]) {
		return nil
	}
	if explicit && name == "" {
		return nil // WHERE engine = 'x'
	}
	return denied("the engine %s keeps data outside the data directory and is not available", shorten(name))
}

// clauses are keywords that may follow a column in a query, and so are no engine.
var clauses = set(`FROM AS WHERE AND OR IN NOT IS LIKE ILIKE BETWEEN ORDER GROUP HAVING LIMIT UNION EXCEPT INTERSECT ASC DESC
	THEN ELSE END WHEN GLOBAL USING ON JOIN INNER LEFT RIGHT SETTINGS FORMAT DIV MOD`)

func shorten(text string) string {
	const limit = 40
	if len(text) > limit {
		return text[:limit] + "…"
	}
	return text
}
