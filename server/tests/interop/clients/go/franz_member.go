package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func (franz) beMember(ctx context.Context, member membership, events *events) error {
	balancers := map[string]kgo.GroupBalancer{
		"range": kgo.RangeBalancer(), "roundrobin": kgo.RoundRobinBalancer(),
		"sticky": kgo.StickyBalancer(), "cooperative-sticky": kgo.CooperativeStickyBalancer(),
	}
	gone := func(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
		events.revoke(lost[member.topic])
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(member.bootstrap),
		kgo.ConsumeTopics(member.topic),
		kgo.ConsumerGroup(member.group),
		kgo.Balancers(balancers[member.assignor]),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(member.session),
		kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, added map[string][]int32) {
			events.assign(added[member.topic])
		}),
		kgo.OnPartitionsRevoked(gone),
		kgo.OnPartitionsLost(gone),
	}
	if member.instance != "" {
		options = append(options, kgo.InstanceID(member.instance))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		next := map[int32]int64{}
		fetches.EachRecord(func(record *kgo.Record) {
			events.record(record.Partition, record.Offset, record.Value)
			next[record.Partition] = record.Offset + 1
		})
		// Where a rebalance is on, whoever gets the partition reads from the last commit.
		if len(next) > 0 && client.CommitUncommittedOffsets(context.Background()) == nil {
			for partition, offset := range next {
				events.committed(partition, offset)
			}
		}
		client.AllowRebalance()
	}
	client.CloseAllowingRebalance()
	return nil
}
