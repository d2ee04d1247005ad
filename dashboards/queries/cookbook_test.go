package queries_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the answers into docs/cookbook.md")

const cookbook = "../../docs/cookbook.md"

var recipe = regexp.MustCompile("(?s)## (\\d+)\\. ([^\n]+)\n\n```sql\n(.*?)\n```\n\n```text\n(.*?)```")

// Every question of the cookbook gives its answer on the seeded half-month.
func TestCookbook(t *testing.T) {
	seeded, empty := engine(t)
	data, err := os.ReadFile(cookbook)
	if err != nil {
		t.Fatal(err)
	}
	moment := fmt.Sprintf("toDateTime(%d, 'UTC')", now.Unix())
	recipes := recipe.FindAllStringSubmatch(string(data), -1)
	if len(recipes) != 25 || strings.Count(string(data), "\n## ") != len(recipes) {
		t.Fatalf("%d recipes can be read of %d headings, want 25", len(recipes), strings.Count(string(data), "\n## "))
	}
	text := string(data)
	for i, r := range recipes {
		if r[1] != fmt.Sprint(i+1) {
			t.Errorf("recipe %q is number %s, want %d", r[2], r[1], i+1)
		}
		sql := strings.ReplaceAll(r[3], "now()", moment)
		names, rows := ask(t, seeded, sql)
		if len(rows) == 0 {
			t.Errorf("%s. %s: no rows", r[1], r[2])
		}
		answer := strings.Join(names, " | ") + "\n"
		for _, row := range rows {
			answer += strings.Join(row, " | ") + "\n"
		}
		if *update {
			text = strings.Replace(text, r[0], strings.TrimSuffix(r[0], r[4]+"```")+answer+"```", 1)
		} else if r[4] != answer {
			t.Errorf("%s. %s: the answer is\n%swant\n%s", r[1], r[2], answer, r[4])
		}
		ask(t, empty, sql)
	}
	if *update {
		if err := os.WriteFile(cookbook, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Answers of the cookbook that are also worked out here, from the seed.
func TestCookbookAnswersFollowFromTheSeed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(cookbook)
	if err != nil {
		t.Fatal(err)
	}
	recipes := recipe.FindAllStringSubmatch(string(data), -1)
	has := func(number int, line string) {
		t.Helper()
		if !strings.Contains("\n"+recipes[number-1][4], "\n"+line+"\n") {
			t.Errorf("question %d lacks the line %q:\n%s", number, line, recipes[number-1][4])
		}
	}
	consumers, agents, late, inTime := 0, 0, 0, 0
	for _, s := range shops {
		consumers += s.conversations()
		agents += (s.good + s.late) * days
		for _, i := range s.misses() {
			value, standard, samples := s.rate(), 0.7, s.conversations()
			switch i {
			case "avg_response_seconds":
				value, standard, samples = s.wait(), 180, (s.good+s.late)*days
			case "dissatisfaction_rate":
				value, standard, samples = *s.dissatisfaction(), 0.2, s.ratings
			}
			has(1, fmt.Sprintf("%s | %s | %s | %s | %d", s.id, i, show(value), show(standard), samples))
		}
		for k := range s.ratings {
			if k/days < s.good {
				inTime++
			} else {
				late++
			}
		}
		if s.ratings > 0 {
			mean := float64(5*(s.ratings-s.dissatisfied)+s.dissatisfied) / float64(s.ratings)
			has(18, fmt.Sprintf("%s | %d | %s | %d", s.id, s.ratings, show(mean), s.dissatisfied))
		}
		has(20, fmt.Sprintf("%s | %d | %d", s.id, s.conversations(), s.perDay))
		if s.points > 0 {
			has(24, fmt.Sprintf("%s | %d", s.id, s.points))
		}
	}
	has(17, fmt.Sprintf("%d | %d | 0", consumers, agents))
	if late > 0 || inTime == 0 {
		t.Errorf("the seed has %d ratings after late answers and %d in time; question 19 was written for none and some", late, inTime)
	}
	has(25, "chat.events | conversations | decode | 2")
}
