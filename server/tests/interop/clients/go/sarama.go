package main

import (
	"bufio"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

type saramaClient struct{}

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Metadata.AllowAutoTopicCreation = false
	return config
}

func (saramaClient) produce(bootstrap, topic, codec string, corpus []entry, autoCreate bool) error {
	codecs := map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
		"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
	config := saramaConfig()
	config.Metadata.AllowAutoTopicCreation = autoCreate
	config.Producer.Compression = codecs[codec]
	config.Producer.MaxMessageBytes = 2 << 20
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	producer, err := sarama.NewAsyncProducer([]string{bootstrap}, config)
	if err != nil {
		return err
	}
	defer producer.AsyncClose()
	failing := make(chan struct{})
	feeding := make(chan struct{})
	go func() {
		defer close(feeding)
		for i, one := range corpus {
			select {
			case producer.Input() <- saramaMessage(topic, i, one):
			case <-failing:
				return
			}
		}
	}()
	defer func() { close(failing); <-feeding }()
	for range corpus {
		select {
		case sent := <-producer.Successes():
			if sent.Offset != int64(sent.Metadata.(int)) {
				return fmt.Errorf("record %d has offset %d", sent.Metadata, sent.Offset)
			}
		case failed := <-producer.Errors():
			return failed.Err
		case <-time.After(consumeTimeout):
			return fmt.Errorf("no acknowledgement in time")
		}
	}
	return nil
}

func saramaMessage(topic string, index int, one entry) *sarama.ProducerMessage {
	message := &sarama.ProducerMessage{
		Topic: topic, Partition: 0, Timestamp: time.UnixMilli(one.timestamp), Metadata: index,
	}
	// A typed nil in the interface would be an empty key, not a null.
	if one.key != nil {
		message.Key = sarama.ByteEncoder(one.key)
	}
	if one.value != nil {
		message.Value = sarama.ByteEncoder(one.value)
	}
	for _, h := range one.headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(h.key), Value: h.value})
	}
	return message
}

func (saramaClient) consume(bootstrap string, topics []string, fetchBytesMax int32, out *bufio.Writer) error {
	config := saramaConfig()
	config.Consumer.Fetch.Default = fetchBytesMax
	config.Consumer.Return.Errors = true
	client, err := sarama.NewClient([]string{bootstrap}, config)
	if err != nil {
		return err
	}
	defer client.Close()
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer consumer.Close()
	for _, topic := range topics {
		if err := saramaConsumeTopic(client, consumer, topic, out); err != nil {
			return fmt.Errorf("%s: %w", topic, err)
		}
	}
	return nil
}

func saramaConsumeTopic(client sarama.Client, consumer sarama.Consumer, topic string, out *bufio.Writer) error {
	end, err := client.GetOffset(topic, 0, sarama.OffsetNewest)
	if err != nil || end == 0 {
		return err
	}
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		return err
	}
	defer partition.Close()
	timeout := time.After(consumeTimeout)
	for {
		select {
		case record := <-partition.Messages():
			read := entry{key: record.Key, value: record.Value, timestamp: record.Timestamp.UnixMilli()}
			for _, h := range record.Headers {
				read.headers = append(read.headers, header{string(h.Key), h.Value})
			}
			writeLine(out, topic, record.Offset, read)
			if record.Offset+1 >= end {
				return nil
			}
		case failed := <-partition.Errors():
			return failed
		case <-timeout:
			return fmt.Errorf("not at the end in time")
		}
	}
}

func (saramaClient) offsetForTime(bootstrap, topic string, timestamp int64) (int64, error) {
	client, err := sarama.NewClient([]string{bootstrap}, saramaConfig())
	if err != nil {
		return 0, err
	}
	defer client.Close()
	return client.GetOffset(topic, 0, timestamp)
}

// sarama reads by topic name and leaves the crossing to its user.
func (saramaClient) recreate(string, string) error {
	return errNotOffered
}
