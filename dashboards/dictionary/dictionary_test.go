package dictionary

import (
	"flag"
	"os"
	"strings"
	"testing"

	ddl "github.com/feigeio/feige/schemas/clickhouse"
)

var update = flag.Bool("update", false, "write docs/data-dictionary.md")

const page = "../../docs/data-dictionary.md"

func TestPageIsUpToDate(t *testing.T) {
	t.Parallel()
	migrations, err := ddl.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	relations, err := Relations(migrations)
	if err != nil {
		t.Fatal(err)
	}
	text := Markdown(relations)
	if *update {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != text {
		t.Errorf("docs/data-dictionary.md is not what the schema says: go test ./dashboards/dictionary -update (%v)", err)
	}
	for _, want := range []string{"### rounds\n", "### decisions\n", "### chat_texts\n", "| wait_us |", "Enum8(moved, open"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestRelationsRefuseWhatIsNotDocumented(t *testing.T) {
	t.Parallel()
	const good = "\nCREATE TABLE IF NOT EXISTS feige.x_data /* ON CLUSTER */\n(\n    a String COMMENT 'it\\'s | a'\n)\nENGINE = MergeTree\nORDER BY a\nCOMMENT 'All x';\n"
	check := func(name, sql string, ok bool) {
		t.Helper()
		relations, err := Relations([]ddl.Migration{{Name: "001_x.sql", SQL: sql}})
		if (err == nil) != ok {
			t.Errorf("%s: %v %v", name, relations, err)
		}
	}
	check("documented", good, true)
	check("column without comment", strings.Replace(good, "COMMENT 'it\\'s | a'", "", 1), false)
	check("table without comment", strings.Replace(good, "\nCOMMENT 'All x'", "", 1), false)
	check("another form", strings.Replace(good, "(\n", "( ", 1), false)
	relations, err := Relations([]ddl.Migration{{Name: "001_x.sql", SQL: good}})
	if err != nil || relations[0].Columns[0].Comment != "it's | a" || !strings.Contains(Markdown(relations), `it's \| a`) {
		t.Errorf("%+v %v", relations, err)
	}
}
