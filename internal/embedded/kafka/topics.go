package kafka

import (
	"strings"

	"github.com/feigeio/feige/schemas"
)

// Reader is a consumer group that must have read a topic before retention may drop anything of it. Both
// names are without namespace.
type Reader struct{ Group, Topic string }

// processorReaders is what each processor reads. Its table's values rest on offsets of that topic, and the
// table's partitions have the numbers of the topic's.
func processorReaders() []Reader {
	return []Reader{
		{schemas.GroupConversations, schemas.TopicEvents},
		{schemas.GroupReception, schemas.TopicFacts},
		{schemas.GroupService, schemas.TopicFacts},
		{schemas.GroupViolations, schemas.TopicEvents},
		{schemas.GroupPatterns, schemas.TopicSignals},
		{schemas.GroupPenalties, schemas.TopicCases},
	}
}

// productTopic is one of the product's topics in one namespace.
type productTopic struct {
	name string // in full
	ns   schemas.Namespace
	base schemas.Topic
}

// recognise tells the product's topics from others, which housekeeping leaves alone.
func recognise(name string) (productTopic, bool) {
	for _, base := range schemas.Topics() {
		if name == base.Name {
			return productTopic{name: name, base: base}, true
		}
		prefix, found := strings.CutSuffix(name, "."+base.Name)
		ns := schemas.Namespace(prefix)
		if found && prefix != "" && ns.Validate() == nil {
			return productTopic{name: name, ns: ns, base: base}, true
		}
	}
	return productTopic{}, false
}

// input is the group whose table this is, and the topic that the table's values rest on, both in full.
func (t productTopic) input() (group, topic string, ok bool) {
	for _, r := range processorReaders() {
		if schemas.TableOf(r.Group) == t.base.Name {
			return t.ns.Topic(r.Group), t.ns.Topic(r.Topic), true
		}
	}
	return "", "", false
}

// readers are the full names of those among rs that read this topic.
func (t productTopic) readers(rs []Reader) (groups []string) {
	for _, r := range rs {
		if r.Topic == t.base.Name {
			groups = append(groups, t.ns.Topic(r.Group))
		}
	}
	return groups
}
