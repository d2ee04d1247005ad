package statement

import "strings"

// Expressions says whether the data of an INSERT ... VALUES, all of which must be in Data, may hold
// expressions, such as now() or toDateTime('...'). They are run by the engine, so they are looked at like the
// rest of the statement: what nobody may ask is an error, and what this package cannot read is no expression.
func (s *Statement) Expressions() (bool, error) {
	if !s.Insert || !strings.EqualFold(s.InsertFormat, "Values") {
		return false, nil
	}
	values := &Statement{Verb: "VALUES"}
	for l := NewLexer(s.Data); ; {
		t, err := l.Next()
		if err != nil {
			return false, nil
		}
		if t.Kind == End {
			break
		}
		if t.Is("SELECT") || t.Is("WITH") {
			return false, denied("a query cannot stand among VALUES; write INSERT INTO ... SELECT")
		}
		values.tokens = append(values.tokens, t)
	}
	for i, t := range values.tokens {
		if err := values.checkToken(i, t); err != nil {
			return false, err
		}
	}
	return true, nil
}
