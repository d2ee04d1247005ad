package queries

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var placeholder = regexp.MustCompile(`\{\{([a-z_]+)(?::([a-z_.]+))?\}\}`)

// ForGrafana is the SQL with the macros of Grafana's ClickHouse data source and the variables of the boards. The value of
// a variable travels percent-encoded, which leaves nothing that a string literal or ClickHouse's backslashes
// could be broken by, and ClickHouse decodes it.
func ForGrafana(sql, timeZone string) string {
	return render(sql, dialect{
		variable: func(name string) string { return "decodeURLComponent('${" + name + ":percentencode}')" },
		from:     "$__fromTime", to: "$__toTime", now: "now64(6, 'UTC')",
		inRange:  func(column string) string { return "$__timeFilter(" + column + ")" },
		bucket:   func(column string) string { return "$__timeInterval(" + column + ")" },
		timeZone: timeZone,
	})
}

// Values are what a reader chose. An empty variable is taken as it stands; All is the constant All.
type Values struct {
	Period, Shop, Agent, Conversation, Category string
	// From and To bound what is asked by time; Now is the present moment.
	From, To, Now time.Time
	// Step is the width of the buckets of a curve, at least a second.
	Step time.Duration
	// TimeZone of the policy; empty: Asia/Shanghai.
	TimeZone string
}

func (v Values) variable(name string) string {
	switch name {
	case "period":
		return v.Period
	case "shop":
		return v.Shop
	case "agent":
		return v.Agent
	case "conversation":
		return v.Conversation
	case "category":
		return v.Category
	}
	return ""
}

// Bind is the SQL with the values in it, escaped.
func Bind(sql string, v Values) string {
	if v.TimeZone == "" {
		v.TimeZone = "Asia/Shanghai"
	}
	instant := func(at time.Time) string { return fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", at.UnixMicro()) }
	step := max(int64(v.Step/time.Second), 1)
	return render(sql, dialect{
		variable: func(name string) string { return Quote(v.variable(name)) },
		from:     instant(v.From), to: instant(v.To), now: instant(v.Now),
		inRange: func(column string) string {
			return fmt.Sprintf("%s >= %s AND %s <= %s", column, instant(v.From), column, instant(v.To))
		},
		bucket: func(column string) string {
			return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL %d second)", column, step)
		},
		timeZone: v.TimeZone,
	})
}

// Quote is a ClickHouse string literal.
func Quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`, "\n", `\n`, "\r", `\r`).Replace(text) + "'"
}

type dialect struct {
	variable        func(name string) string
	from, to, now   string
	inRange, bucket func(column string) string
	timeZone        string
}

func render(sql string, d dialect) string {
	return strings.TrimSpace(placeholder.ReplaceAllStringFunc(sql, func(token string) string {
		match := placeholder.FindStringSubmatch(token)
		name, column := match[1], match[2]
		switch name {
		case "from":
			return d.from
		case "to":
			return d.to
		case "now":
			return d.now
		case "tz":
			return Quote(d.timeZone)
		case "in_range":
			return "(" + d.inRange(column) + ")"
		case "bucket":
			return d.bucket(column)
		case "period_start":
			p := d.variable("period")
			return "toDateTime64OrZero(concat(substring(" + p + ", 1, 7), if(endsWith(" + p + ", 'H1'), '-01', '-16'), ' 00:00:00'), 6, " + Quote(d.timeZone) + ")"
		case "period_end":
			p := d.variable("period")
			start := "toDateTime64OrZero(concat(substring(" + p + ", 1, 7), '-01 00:00:00'), 6, " + Quote(d.timeZone) + ")"
			return "if(endsWith(" + p + ", 'H1'), " + start + " + INTERVAL 15 DAY, addMonths(" + start + ", 1))"
		}
		if column == "" {
			return d.variable(name)
		}
		return "(" + d.variable(name) + " = '" + All + "' OR " + column + " = " + d.variable(name) + ")"
	}))
}

// Uses lists the variables that a query reads, in the order of Variables.
func Uses(sql string) []string {
	var used []string
	for _, name := range Variables() {
		found := slices.ContainsFunc(placeholder.FindAllStringSubmatch(sql, -1), func(match []string) bool {
			return match[1] == name || name == "period" && (match[1] == "period_start" || match[1] == "period_end")
		})
		if found {
			used = append(used, name)
		}
	}
	return used
}

var (
	timeFilter   = regexp.MustCompile(`\$__timeFilter\(([a-z_.]+)\)`)
	timeInterval = regexp.MustCompile(`\$__timeInterval\(([a-z_.]+)\)`)
	variable     = regexp.MustCompile(`\$\{([a-z_]+):percentencode\}`)
)

// ExpandGrafana does to a panel's SQL what Grafana and its ClickHouse data source do before they send it, for the macros
// and the one format that ForGrafana uses.
func ExpandGrafana(sql string, v Values) string {
	from, to := fmt.Sprintf("toDateTime(%d)", v.From.Unix()), fmt.Sprintf("toDateTime(%d)", v.To.Unix())
	step := max(int64(v.Step/time.Second), 1)
	sql = variable.ReplaceAllStringFunc(sql, func(token string) string {
		value := v.variable(variable.FindStringSubmatch(token)[1])
		if value == All {
			return All // a variable's allValue is put in without the format
		}
		return percentEncode(value)
	})
	sql = timeFilter.ReplaceAllString(sql, "$1 >= "+from+" AND $1 <= "+to)
	sql = timeInterval.ReplaceAllString(sql, "toStartOfInterval(toDateTime($1), INTERVAL "+strconv.FormatInt(step, 10)+" second)")
	return strings.NewReplacer("$__fromTime", from, "$__toTime", to).Replace(sql)
}

func percentEncode(text string) string {
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			out.WriteByte(c)
			continue
		}
		fmt.Fprintf(&out, "%%%02X", c)
	}
	return out.String()
}
