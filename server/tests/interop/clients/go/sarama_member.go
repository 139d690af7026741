package main

import (
	"context"
	"time"

	"github.com/IBM/sarama"
)

func (saramaClient) beMember(ctx context.Context, member membership, events *events) error {
	strategies := map[string]sarama.BalanceStrategy{
		"range": sarama.NewBalanceStrategyRange(), "roundrobin": sarama.NewBalanceStrategyRoundRobin(),
		"sticky": sarama.NewBalanceStrategySticky(),
	}
	config := saramaConfig()
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategies[member.assignor]}
	config.Consumer.Group.InstanceId = member.instance
	config.Consumer.Group.Session.Timeout = member.session
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	// Commits go through the connection on which fetches wait.
	config.Consumer.MaxWaitTime = 200 * time.Millisecond
	group, err := sarama.NewConsumerGroup([]string{member.bootstrap}, member.group, config)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{member.topic}, &saramaMember{member.topic, events}); err != nil {
			return err
		}
	}
	return group.Close()
}

type saramaMember struct {
	topic  string
	events *events
}

func (m *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	m.events.assign(session.Claims()[m.topic])
	return nil
}

func (m *saramaMember) Cleanup(session sarama.ConsumerGroupSession) error {
	m.events.revoke(session.Claims()[m.topic])
	return nil
}

// ConsumeClaim reads one partition, and commits when there is nothing more to read at once. sarama
// does not say whether a commit succeeded, so none is noted.
func (m *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case record, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			m.events.record(record.Partition, record.Offset, record.Value)
			session.MarkMessage(record, "")
			if len(claim.Messages()) == 0 {
				session.Commit()
			}
		case <-session.Context().Done():
			return nil
		}
	}
}
