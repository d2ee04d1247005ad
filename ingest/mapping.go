package ingest

import (
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Mapping says how the columns of a CSV file become events. A column is named by its title in the
// header (any case), or by "#3" for the third. An empty name means the usual titles.
type Mapping struct {
	// Columns. Shop, Role: may be missing when ShopValue, RoleValue say what all rows have.
	Shop         string `yaml:"shop" json:"shop,omitempty"`
	Conversation string `yaml:"conversation" json:"conversation,omitempty"`
	Time         string `yaml:"time" json:"time,omitempty"`
	Role         string `yaml:"role" json:"role,omitempty"`
	User         string `yaml:"user" json:"user,omitempty"`
	Text         string `yaml:"text" json:"text,omitempty"`
	// Kind of a message: text (default), emoji, picture, card, file, video, audio.
	Kind string `yaml:"kind" json:"kind,omitempty"`
	// ID of the row: a UUID is taken as the event id as it is, anything else is turned into one.
	ID string `yaml:"id" json:"id,omitempty"`
	// Automatic: true, false, yes, no, 1, 0, or empty.
	Automatic string `yaml:"automatic" json:"automatic,omitempty"`
	// Event: message (default), opened, closed, rated, resumed, signed_in, signed_out.
	Event string `yaml:"event" json:"event,omitempty"`
	// Score of a rating, 1 to 5.
	Score string `yaml:"score" json:"score,omitempty"`

	ShopValue string `yaml:"shop_value" json:"shop_value,omitempty"`
	RoleValue string `yaml:"role_value" json:"role_value,omitempty"`
	// Roles adds words of the role column: word (any case) to consumer, agent, bot, or system.
	Roles map[string]string `yaml:"roles" json:"roles,omitempty"`
	// TimeLayout is auto (default), rfc3339, unix_s, unix_ms, unix_us, or a layout of Go's time package.
	TimeLayout string `yaml:"time_layout" json:"time_layout,omitempty"`
	// TimeZone of times that name none: an IANA name, default UTC.
	TimeZone string `yaml:"time_zone" json:"time_zone,omitempty"`
	// Delimiter is one ASCII character or "tab"; default comma, for .tsv tab.
	Delimiter string `yaml:"delimiter" json:"delimiter,omitempty"`
	// NoHeader: the first row is data, and columns are named "#n".
	NoHeader bool `yaml:"no_header" json:"no_header,omitempty"`
}

// The fields of a row.
const (
	fieldShop = iota
	fieldConversation
	fieldTime
	fieldRole
	fieldUser
	fieldText
	fieldKind
	fieldID
	fieldAutomatic
	fieldEvent
	fieldScore
	fieldCount
)

// fieldTitles are the keys of Mapping, in the order of the fields; usualTitles what a column is called
// when the mapping is silent.
var (
	fieldTitles = [fieldCount]string{"shop", "conversation", "time", "role", "user", "text", "kind", "id", "automatic", "event", "score"}
	usualTitles = [fieldCount][]string{{"shop", "shop_id"}, {"conversation", "conversation_id"}, {"time", "ts", "timestamp", "occurred_at"},
		{"role"}, {"user", "user_id", "sender"}, {"text", "message"}, {"kind"}, {"id", "event_id"}, {"automatic"}, {"event"}, {"score"}}
)

func (m Mapping) columns() [fieldCount]string {
	return [fieldCount]string{m.Shop, m.Conversation, m.Time, m.Role, m.User, m.Text, m.Kind, m.ID, m.Automatic, m.Event, m.Score}
}

var usualRoles = map[string]chatv1.Role{
	"consumer": chatv1.Role_ROLE_CONSUMER, "customer": chatv1.Role_ROLE_CONSUMER, "buyer": chatv1.Role_ROLE_CONSUMER,
	"消费者": chatv1.Role_ROLE_CONSUMER, "买家": chatv1.Role_ROLE_CONSUMER, "客户": chatv1.Role_ROLE_CONSUMER,
	"agent": chatv1.Role_ROLE_AGENT, "seller": chatv1.Role_ROLE_AGENT, "merchant": chatv1.Role_ROLE_AGENT,
	"客服": chatv1.Role_ROLE_AGENT, "商家": chatv1.Role_ROLE_AGENT, "卖家": chatv1.Role_ROLE_AGENT,
	"bot": chatv1.Role_ROLE_BOT, "robot": chatv1.Role_ROLE_BOT, "机器人": chatv1.Role_ROLE_BOT,
	"system": chatv1.Role_ROLE_SYSTEM, "platform": chatv1.Role_ROLE_SYSTEM, "系统": chatv1.Role_ROLE_SYSTEM, "平台": chatv1.Role_ROLE_SYSTEM,
}

var usualKinds = map[string]chatv1.MessageKind{
	"": chatv1.MessageKind_MESSAGE_KIND_TEXT, "text": chatv1.MessageKind_MESSAGE_KIND_TEXT, "emoji": chatv1.MessageKind_MESSAGE_KIND_EMOJI,
	"picture": chatv1.MessageKind_MESSAGE_KIND_PICTURE, "image": chatv1.MessageKind_MESSAGE_KIND_PICTURE,
	"card": chatv1.MessageKind_MESSAGE_KIND_CARD, "file": chatv1.MessageKind_MESSAGE_KIND_FILE,
	"video": chatv1.MessageKind_MESSAGE_KIND_VIDEO, "audio": chatv1.MessageKind_MESSAGE_KIND_AUDIO, "voice": chatv1.MessageKind_MESSAGE_KIND_AUDIO,
}

// compiled is a Mapping ready for use, before the header is known.
type compiled struct {
	Mapping
	roles     map[string]chatv1.Role
	fixedRole chatv1.Role
	delimiter byte
	times     timeParser
}

func (m Mapping) compile(tsv bool) (*compiled, error) {
	c := &compiled{Mapping: m, roles: maps.Clone(usualRoles), delimiter: ','}
	for word, role := range m.Roles {
		r, ok := usualRoles[strings.ToLower(role)]
		if !ok {
			return nil, fmt.Errorf("mapping.roles: %q is not consumer, agent, bot, or system (for the word %q)", role, word)
		}
		c.roles[strings.ToLower(word)] = r
	}
	if m.RoleValue != "" {
		r, ok := c.roles[strings.ToLower(m.RoleValue)]
		if !ok {
			return nil, fmt.Errorf("mapping.role_value: %q is not a role", m.RoleValue)
		}
		c.fixedRole = r
	}
	switch d := m.Delimiter; {
	case d == "" && tsv, d == "tab", d == `\t`:
		c.delimiter = '\t'
	case d == "":
	case len(d) == 1 && d[0] < utf8.RuneSelf && d != `"` && d != "\n" && d != "\r":
		c.delimiter = d[0]
	default:
		return nil, fmt.Errorf("mapping.delimiter: %q is not one ASCII character or \"tab\"", d)
	}
	zone, err := time.LoadLocation(m.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("mapping.time_zone: %q is not a known time zone", m.TimeZone)
	}
	c.times = timeParser{layout: m.TimeLayout, zone: zone}
	return c, c.times.check()
}

// bind finds the columns in a header; index -1 means that the file has none.
func (c *compiled) bind(header []string) ([fieldCount]int, error) {
	var at [fieldCount]int
	for f, name := range c.columns() {
		var err error
		if at[f], err = c.find(header, name, usualTitles[f]); err != nil {
			return at, fmt.Errorf("mapping.%s: %w", fieldTitles[f], err)
		}
	}
	for _, f := range []int{fieldShop, fieldConversation, fieldTime, fieldRole, fieldUser} {
		given := f == fieldShop && c.ShopValue != "" || f == fieldRole && c.RoleValue != ""
		if at[f] < 0 && !given {
			return at, fmt.Errorf("no column for mapping.%s (columns: %s)", fieldTitles[f], strings.Join(header, ", "))
		}
	}
	return at, nil
}

func (c *compiled) find(header []string, name string, usual []string) (int, error) {
	if strings.HasPrefix(name, "#") {
		var n int
		if _, err := fmt.Sscanf(name, "#%d", &n); err != nil || n < 1 || n > len(header) {
			return -1, fmt.Errorf("%q is not between #1 and #%d", name, len(header))
		}
		return n - 1, nil
	}
	if c.NoHeader {
		if name != "" {
			return -1, fmt.Errorf("%q: without a header, columns are named #1, #2, …", name)
		}
		return -1, nil
	}
	titles := usual
	if name != "" {
		titles = []string{name}
	}
	for _, title := range titles {
		found := -1
		for i, h := range header {
			if strings.EqualFold(strings.TrimSpace(h), strings.TrimSpace(title)) {
				if found >= 0 {
					return -1, fmt.Errorf("two columns are called %q", title)
				}
				found = i
			}
		}
		if found >= 0 {
			return found, nil
		}
	}
	if name != "" {
		return -1, fmt.Errorf("no column is called %q (columns: %s)", name, strings.Join(header, ", "))
	}
	return -1, nil
}
