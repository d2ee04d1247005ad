package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// membership is who was in a consumer group when it was looked at, and since when that has been so.
type membership struct {
	members string
	since   time.Time
}

// settled tells whether the group has had the same members with the same partitions for long enough. A
// member that has just joined restores its state from the start of the table, and a reader whose next
// record is deleted under it gets an error.
func (k *keeper) settled(ctx context.Context, group string) (bool, error) {
	if k.cfg.Settle == 0 {
		return true, nil
	}
	described, err := k.admin.DescribeGroups(ctx, group)
	if err != nil {
		return false, fmt.Errorf("describe group %s: %w", group, err)
	}
	g := described[group]
	if g.Err != nil {
		return false, fmt.Errorf("describe group %s: %w", group, g.Err)
	}
	now := time.Now()
	switch g.State {
	case "Stable", "Empty", "Dead":
	default:
		k.groups[group] = membership{members: g.State, since: now}
		return false, nil
	}
	members := roster(g)
	if last, ok := k.groups[group]; !ok || last.members != members {
		k.groups[group] = membership{members: members, since: now}
		return false, nil
	}
	return now.Sub(k.groups[group].since) >= k.cfg.Settle, nil
}

func roster(g kadm.DescribedGroup) string {
	members := make([]string, 0, len(g.Members))
	for _, m := range g.Members {
		assigned := ""
		if a, ok := m.Assigned.AsConsumer(); ok {
			assigned = fmt.Sprint(a.Topics)
		}
		members = append(members, m.MemberID+" "+assigned)
	}
	slices.Sort(members)
	return strings.Join(members, "\n")
}
