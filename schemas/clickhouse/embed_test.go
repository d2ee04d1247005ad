package ddl

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestRead(t *testing.T) {
	t.Parallel()
	read := func(name string, files []string, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := fstest.MapFS{}
			for _, f := range files {
				dir[f] = &fstest.MapFile{Data: []byte("SELECT 1;")}
			}
			got, err := Read(dir)
			switch {
			case want == "" && err != nil:
				t.Fatalf("refused: %v", err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Fatalf("error %v, want one that says %q", err, want)
			case want == "" && len(got) != len(files):
				t.Fatalf("%d migrations from %d files", len(got), len(files))
			}
		})
	}
	read("in order", []string{"001_a.sql", "002_b.sql"}, "")
	read("a gap", []string{"001_a.sql", "003_b.sql"}, "003_b.sql: its number must be 002")
	read("a number twice", []string{"001_a.sql", "001_b.sql"}, "001_b.sql: its number must be 002")
	read("from zero", []string{"000_a.sql"}, "000_a.sql: its number must be 001")
	read("no number", []string{"chats.sql"}, "chats.sql: the name must be NNN_subject.sql")
	read("capitals", []string{"001_Chats.sql"}, "001_Chats.sql: the name must be")
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	migrations, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	if len(migrations) == 0 {
		t.Fatal("no file is embedded")
	}
	for i, m := range migrations {
		if m.Version != uint32(i+1) || len(m.Checksum) != 64 || m.SQL == "" {
			t.Errorf("%s: version %d, checksum %q, %d bytes", m.Name, m.Version, m.Checksum, len(m.SQL))
		}
	}
}
