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

// functions, of tables or scalars, that reach outside the data directory or run programs.
var functions = set(`file fileCluster filesystem url urlCluster s3 s3Cluster gcs oss cosn s3express azureBlobStorage azureBlobStorageCluster
	hdfs hdfsCluster remote remoteSecure cluster clusterAllReplicas mysql postgresql mongodb redis sqlite odbc jdbc
	iceberg icebergCluster icebergS3 icebergS3Cluster icebergLocal icebergLocalCluster icebergAzure icebergAzureCluster icebergHDFS icebergHDFSCluster
	deltaLake deltaLakeCluster deltaLakeS3 deltaLakeS3Cluster deltaLakeAzure deltaLakeAzureCluster deltaLakeLocal deltaLakeLocalCluster
	hudi hudiCluster paimon paimonS3 paimonAzure paimonHDFS paimonLocal paimonCluster paimonS3Cluster paimonAzureCluster paimonHDFSCluster
	executable executablePool input_file python arrowStream ytsaurus arrowFlight hive kafka rabbitmq nats fuzzQuery fuzzJSON
	catboostEvaluate disk backup aiGenerateSQL aiGenerate prometheusQuery prometheusQueryRange loopRemote`)

// engines that keep their data in the data directory, or in memory, or nowhere.
var engines = set(`MergeTree ReplacingMergeTree SummingMergeTree AggregatingMergeTree CollapsingMergeTree VersionedCollapsingMergeTree
	CoalescingMergeTree GraphiteMergeTree ReplicatedMergeTree ReplicatedReplacingMergeTree ReplicatedSummingMergeTree
	ReplicatedAggregatingMergeTree ReplicatedCollapsingMergeTree ReplicatedVersionedCollapsingMergeTree
	Memory Null Log TinyLog StripeLog Set Join Buffer Merge Atomic View MaterializedView GenerateRandom`)

// objects that CREATE, ATTACH, and REPLACE may name.
var objects = set(`DATABASE TABLE VIEW INDEX`)

// settings whose value is a file, a machine, or another grammar. The engine's profile fixes them as well.
var settings = set(`dialect implicit_select format_schema format_schema_source format_schema_message_name
	format_template_resultset format_template_row format_template_resultset_format format_template_row_format
	format_avro_schema_registry_url output_format_schema input_format_csv_use_schema allow_ddl readonly
	polyglot_dialect promql_database promql_table log_comment user_files_path storage disk`)

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
	case settings[name] && next.Is("=") && (s.Verb != "CREATE" && s.Verb != "ATTACH" || t.Depth == 0):
		return denied("the setting %s cannot be changed here", t.Text)
	case t.Is("OUTFILE") || t.Is("INFILE"):
		if i > 0 && (s.tokens[i-1].Is("INTO") || s.tokens[i-1].Is("FROM")) {
			return denied("INTO OUTFILE and FROM INFILE are not available over HTTP")
		}
	}
	return nil
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
