package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

type franz struct{}

func (franz) produce(bootstrap, topic, codec string, corpus []entry, autoCreate bool) error {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ProducerBatchCompression(codecs[codec]),
		kgo.ProducerBatchMaxBytes(2 << 20),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}
	if autoCreate {
		options = append(options, kgo.AllowAutoTopicCreation())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), consumeTimeout)
	defer cancel()
	offsets := make(chan error, len(corpus))
	for i, one := range corpus {
		record := &kgo.Record{
			Topic: topic, Key: one.key, Value: one.value, Timestamp: time.UnixMilli(one.timestamp),
		}
		for _, h := range one.headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.key, Value: h.value})
		}
		client.Produce(ctx, record, func(sent *kgo.Record, err error) {
			if err == nil && sent.Offset != int64(i) {
				err = fmt.Errorf("record %d has offset %d", i, sent.Offset)
			}
			offsets <- err
		})
	}
	for range corpus {
		if err := <-offsets; err != nil {
			return err
		}
	}
	return nil
}

func (franz) consume(bootstrap string, topics []string, fetchBytesMax int32, out *bufio.Writer) error {
	from := map[string]map[int32]kgo.Offset{}
	for _, topic := range topics {
		from[topic] = map[int32]kgo.Offset{0: kgo.NewOffset().AtStart()}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumePartitions(from),
		kgo.FetchMaxPartitionBytes(fetchBytesMax))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), consumeTimeout)
	defer cancel()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	left := map[string]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			left[end.Topic] = end.Offset
		}
	})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return fmt.Errorf("%s: %w; left %v", errs[0].Topic, errs[0].Err, left)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			read := entry{key: record.Key, value: record.Value, timestamp: record.Timestamp.UnixMilli()}
			for _, h := range record.Headers {
				read.headers = append(read.headers, header{h.Key, h.Value})
			}
			writeLine(out, record.Topic, record.Offset, read)
			if record.Offset+1 >= left[record.Topic] {
				delete(left, record.Topic)
			}
		})
	}
	return nil
}

// cat writes the values of partition 0 to a file, a line each: what a shipper of text made of its
// input.
func cat(bootstrap, topic, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<20)
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumePartitions(
		map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*consumeTimeout)
	defer cancel()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	end, _ := ends.Lookup(topic, 0)
	for next := int64(0); next < end.Offset; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("at %d of %d: %w", next, end.Offset, err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			if record.Offset != next {
				err = fmt.Errorf("offset %d follows %d", record.Offset, next-1)
			}
			next = record.Offset + 1
			out.Write(record.Value)
			out.WriteByte('\n')
		})
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

func (franz) offsetForTime(bootstrap, topic string, timestamp int64) (int64, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), consumeTimeout)
	defer cancel()
	// kadm answers the end of the log where nothing is as late, and then says so by timestamp -1.
	listed, err := kadm.NewClient(client).ListOffsetsAfterMilli(ctx, timestamp, topic)
	if err != nil {
		return 0, err
	}
	found, ok := listed.Lookup(topic, 0)
	if !ok || found.Err != nil {
		return 0, fmt.Errorf("%s: %v", topic, found.Err)
	}
	if found.Timestamp == -1 {
		return -1, nil
	}
	return found.Offset, nil
}

// franz-go never crosses to the new topic by itself: it reports the old id as unknown, and reads
// the second life once the topic was purged and added again. Nothing of the first life may come
// twice.
func (f franz) recreate(bootstrap, topic string) error {
	from := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumePartitions(from),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	life := func(text string, count int) error {
		var corpus []entry
		for i := range count {
			corpus = append(corpus, entry{value: fmt.Appendf(nil, "%s %d", text, i), timestamp: time.Now().UnixMilli()})
		}
		for {
			_, err := admin.CreateTopic(ctx, 1, 1, nil, topic)
			if err == nil {
				break
			}
			if ctx.Err() != nil || !errors.Is(err, kerr.TopicAlreadyExists) {
				return err
			}
			time.Sleep(100 * time.Millisecond)
		}
		return f.produce(bootstrap, topic, "none", corpus, false)
	}
	if err := life("first", 9); err != nil {
		return err
	}
	if err := readValues(ctx, client, "first", 9); err != nil {
		return err
	}
	if _, err := admin.DeleteTopic(ctx, topic); err != nil {
		return err
	}
	if err := life("second", 4); err != nil {
		return err
	}
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("the deletion was never reported")
		}
		if errs := fetches.Errors(); len(errs) > 0 {
			if !errors.Is(errs[0].Err, kerr.UnknownTopicID) && !errors.Is(errs[0].Err, kerr.UnknownTopicOrPartition) {
				return errs[0].Err
			}
			break
		}
		if fetches.NumRecords() > 0 {
			return fmt.Errorf("read %d records by the old id", fetches.NumRecords())
		}
	}
	client.PurgeTopicsFromConsuming(topic)
	client.AddConsumePartitions(from)
	return readValues(ctx, client, "second", 4)
}

// Reads exactly the values `text 0`, `text 1` ...
func readValues(ctx context.Context, client *kgo.Client, text string, count int) error {
	next := 0
	for next < count {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("only %d of %d records of the %s life", next, count, text)
		}
		var wrong error
		fetches.EachRecord(func(record *kgo.Record) {
			if want := fmt.Sprintf("%s %d", text, next); string(record.Value) != want {
				wrong = fmt.Errorf("read %q, not %q", record.Value, want)
			}
			next++
		})
		if wrong != nil {
			return wrong
		}
	}
	return nil
}
