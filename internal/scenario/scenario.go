package scenario

import (
	"math/rand/v2"

	"pgregory.net/rapid"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Scenario is the log of one partition and the policy to read it by.
type Scenario struct {
	// PolicyName is the Variant's.
	PolicyName string
	Policy     *policy.Set
	// Log of one partition: all shops, in order, offsets from 0 on with gaps.
	Log []oracle.Record
}

// choose picks one of 0 to n-1.
type choose func(n int) int

// Generate makes the scenario of a seed.
func Generate(seed uint64) Scenario {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	return newWorld(r.IntN, pick(Policies(), r.IntN)).run()
}

// Draw makes a scenario that rapid can shrink.
func Draw(t *rapid.T) Scenario {
	draw := func(n int) int {
		if n == 1 {
			return 0
		}
		return rapid.IntRange(0, n-1).Draw(t, "choice")
	}
	return newWorld(draw, pick(Policies(), draw)).run()
}

// WithPolicy makes the scenario of a seed for one policy.
func WithPolicy(seed uint64, v Variant) Scenario {
	return newWorld(rand.New(rand.NewPCG(seed, 0x5eed)).IntN, v).run()
}

func pick[T any](list []T, choice choose) T { return list[choice(len(list))] }

// Partitions deals the log out to n partitions by shop, as the topic would hold it: every tick goes to
// each. Offsets count from 0 in each.
func (s Scenario) Partitions(n int32) [][]oracle.Record {
	out := make([][]oracle.Record, n)
	for _, r := range s.Log {
		var to []int32
		if _, tick := r.Event.Payload.(*chatv1.ChatEvent_Tick); tick {
			for p := range n {
				to = append(to, p)
			}
		} else {
			key := schemas.EventKey(r.Event.ShopId, r.Event.ConversationId)
			to = append(to, schemas.Partition(key, n))
		}
		for _, p := range to {
			out[p] = append(out[p], oracle.Record{Offset: int64(len(out[p])), Event: r.Event})
		}
	}
	return out
}

// Key is the key under which the record stands on the topic; ticks carry that of their partition.
func Key(r oracle.Record, partition, partitions int32) string {
	if _, tick := r.Event.Payload.(*chatv1.ChatEvent_Tick); tick {
		return schemas.TickKey(partition, partitions)
	}
	return schemas.EventKey(r.Event.ShopId, r.Event.ConversationId)
}
