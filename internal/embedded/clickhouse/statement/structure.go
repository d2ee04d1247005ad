package statement

// CheckStructure accepts the columns of an external table, "a UInt8, b Array(String)": names and types, no
// expressions, since the server itself puts the text into a CREATE TABLE.
func CheckStructure(text string) error {
	l := NewLexer(text)
	for count := 0; ; count++ {
		t, err := l.Next()
		if err != nil {
			return err
		}
		switch {
		case t.Kind == End && l.depth != 0:
			return l.refuse(t.Start, "brackets are not closed")
		case t.Kind == End && count == 0:
			return l.refuse(0, "an external table needs its columns")
		case t.Kind == End:
			return nil
		case t.Depth < 0:
			return l.refuse(t.Start, "a bracket closes that was never opened")
		case t.Kind == Symbol && !(t.Is("(") || t.Is(")") || t.Is(",") || t.Is("=") || t.Is("-")):
			return l.refuse(t.Start, "an external table has names and types only")
		}
		switch {
		case t.Is("DEFAULT"), t.Is("MATERIALIZED"), t.Is("ALIAS"), t.Is("EPHEMERAL"), t.Is("SELECT"), t.Is("CODEC"), t.Is("TTL"), t.Is("AS"), t.Is("INDEX"), t.Is("PROJECTION"), t.Is("CONSTRAINT"):
			return l.refuse(t.Start, "an external table has names and types only")
		}
	}
}
