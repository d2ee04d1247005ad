package sinks

import chatv1 "github.com/feigeio/feige/schemas/chat/v1"

// countColumns are the columns of chat.v1.Counts, in the order of its fields.
type countColumns [15]*columnOf[int64]

var countNames = [15]string{
	"rounds", "rounds_answered", "rounds_within", "wait_sum_us", "first_answered", "first_wait_sum_us",
	"conversations", "conversations_mean_within", "conversations_strict_within", "conversations_unanswered",
	"messages", "messages_within", "ratings", "ratings_dissatisfied", "ratings_sum",
}

func addCounts(t *table) countColumns {
	var c countColumns
	for i, name := range countNames {
		c[i] = add[int64](t, name, "Int64")
	}
	return c
}

func (c countColumns) put(row int, n *chatv1.Counts) {
	for i, value := range [15]int64{
		n.GetRounds(), n.GetRoundsAnswered(), n.GetRoundsWithin(), n.GetWaitSumUs(), n.GetFirstAnswered(), n.GetFirstWaitSumUs(),
		n.GetConversations(), n.GetConversationsMeanWithin(), n.GetConversationsStrictWithin(), n.GetConversationsUnanswered(),
		n.GetMessages(), n.GetMessagesWithin(), n.GetRatings(), n.GetRatingsDissatisfied(), n.GetRatingsSum(),
	} {
		c[i].put(row, value)
	}
}

// indicatorColumns are arrays of equal length, one element an indicator.
type indicatorColumns struct {
	names       *columnOf[[]string]
	values      *columnOf[[]*float64]
	samples     *columnOf[[]int64]
	standards   *columnOf[[]*float64]
	comparisons *columnOf[[]string]
	verdicts    *columnOf[[]int8]
	definitions *columnOf[[]string]
}

func addIndicators(t *table) indicatorColumns {
	return indicatorColumns{
		names:       add[[]string](t, "indicator_names", kindWords),
		values:      add[[]*float64](t, "indicator_values", "Array(Nullable(Float64))"),
		samples:     add[[]int64](t, "indicator_samples", "Array(Int64)"),
		standards:   add[[]*float64](t, "indicator_standards", "Array(Nullable(Float64))"),
		comparisons: add[[]string](t, "indicator_comparisons", kindWords),
		verdicts:    add[[]int8](t, "indicator_verdicts", kindVerdicts),
		definitions: add[[]string](t, "indicator_definitions", kindWords),
	}
}

func checkIndicators(indicators []*chatv1.Indicator) *refusal {
	for _, n := range indicators {
		if n.GetVerdict() < 0 || n.GetVerdict() > chatv1.Verdict_VERDICT_MISSED {
			return refuse(CodeInvalid, "indicator %q: a verdict of %d, which this version does not know", n.GetName(), n.GetVerdict())
		}
	}
	return nil
}

func (c indicatorColumns) put(row int, indicators []*chatv1.Indicator) {
	var (
		names       = make([]string, len(indicators))
		values      = make([]*float64, len(indicators))
		samples     = make([]int64, len(indicators))
		standards   = make([]*float64, len(indicators))
		comparisons = make([]string, len(indicators))
		verdicts    = make([]int8, len(indicators))
		definitions = make([]string, len(indicators))
		numbers     = make([]float64, 2*len(indicators))
	)
	for i, n := range indicators {
		names[i], samples[i], comparisons[i], definitions[i] = n.Name, n.Samples, n.Comparison, n.Definition
		verdicts[i] = int8(n.Verdict)
		if n.HasValue {
			numbers[2*i] = n.Value
			values[i] = &numbers[2*i]
		}
		if n.HasStandard {
			numbers[2*i+1] = n.Standard
			standards[i] = &numbers[2*i+1]
		}
	}
	c.names.put(row, names)
	c.values.put(row, values)
	c.samples.put(row, samples)
	c.standards.put(row, standards)
	c.comparisons.put(row, comparisons)
	c.verdicts.put(row, verdicts)
	c.definitions.put(row, definitions)
}
