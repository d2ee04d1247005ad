package queries

// Lang is a language of titles.
type Lang string

// Languages.
const (
	Chinese Lang = "zh"
	English Lang = "en"
)

// Text is a title or sentence in both languages.
type Text struct{ ZH, EN string }

// In is the text in one language; English where the language is not known.
func (t Text) In(lang Lang) string {
	if lang == Chinese {
		return t.ZH
	}
	return t.EN
}

// Unit says what a column's numbers are.
type Unit string

// Units.
const (
	Plain     Unit = ""          // text
	Count     Unit = "count"     // a number of things
	Share     Unit = "share"     // a share of 1
	Seconds   Unit = "seconds"   // a length of time
	Instant   Unit = "instant"   // a point in time
	Yes       Unit = "yes"       // true or false
	Indicator Unit = "indicator" // the name of an indicator
	Verdict   Unit = "verdict"   // reported, not_judged, met, or missed
	Mixed     Unit = "mixed"     // a share or seconds, by the row's indicator
	Word      Unit = "word"      // one of Words
	WordList  Unit = "words"     // some of Words, joined by ", "
)

// Shape is how the answer is to be read.
type Shape string

// Shapes.
const (
	Figure Shape = "figure" // one row, one number
	Table  Shape = "table"  // rows
	Series Shape = "series" // column time, then numbers, or one label and one number
	Bars   Shape = "bars"   // one label and one number a row
)

// Colour of a threshold.
type Colour string

// Colours.
const (
	Green  Colour = "green"
	Yellow Colour = "yellow"
	Red    Colour = "red"
)

// Step colours values from From on; the first step of a list has no From.
type Step struct {
	From   float64
	Colour Colour
}

// Target is what a column's cells lead to.
type Target string

// Targets.
const (
	Nowhere        Target = ""
	ToShop         Target = "shop"
	ToConversation Target = "conversation" // the row must have shop_id and conversation_id
	ToAgents       Target = "agents"       // the row must have shop_id
)

// Column is one column of the answer.
type Column struct {
	Name  string
	Title Text
	Unit  Unit
	Steps []Step
	Links Target
}

// Query is one figure, table, or curve.
type Query struct {
	// ID is "board.name"; it does not change once published.
	ID    string
	Title Text
	// About says in a sentence what is counted.
	About   Text
	Shape   Shape
	SQL     string
	Columns []Column
}

// Placeholders that a query may use, {{name}}; a variable with a column behind it, {{shop:shop_id}}, is a condition that
// the variable "all" always meets.
const (
	All = "~all" // no shop id begins with '~'
)

// Variables are the names of the values that a reader chooses.
func Variables() []string { return []string{"period", "shop", "agent", "conversation", "category"} }

// Every lists all queries, board by board.
func Every() []Query {
	var all []Query
	for _, board := range [][]Query{Overview(), Shop(), Agents(), Live(), Assessment(), Violations(), Pipeline(), Conversation()} {
		all = append(all, board...)
	}
	return all
}
