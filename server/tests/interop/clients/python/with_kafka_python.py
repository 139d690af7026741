"""kafka-python."""

import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.version import __version__ as VERSION

import corpus

TIMEOUT_S = 180


def produce(bootstrap, topic, codec, entries):
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        acks="all",
        linger_ms=5,
        max_request_size=4 << 20,
    )
    sent = [
        producer.send(
            topic,
            value=entry.value,
            key=entry.key,
            headers=entry.headers,
            partition=0,
            timestamp_ms=entry.timestamp,
        )
        for entry in entries
    ]
    producer.flush(TIMEOUT_S)
    for index, future in enumerate(sent):
        offset = future.get(timeout=TIMEOUT_S).offset
        if offset != index:
            raise RuntimeError(f"record {index} has offset {offset}")
    producer.close()


def consume(bootstrap, topics, fetch_bytes_max, out):
    consumer = _consumer(bootstrap, max_partition_fetch_bytes=fetch_bytes_max)
    partitions = [TopicPartition(topic, 0) for topic in topics]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    left = set(partitions)
    deadline = time.monotonic() + TIMEOUT_S
    while left:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not at the end: {left}")
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                out.write(
                    corpus.line(
                        record.topic,
                        record.offset,
                        record.key,
                        record.value,
                        record.timestamp,
                        record.headers,
                    )
                )
        left = {partition for partition in left if consumer.position(partition) < ends[partition]}
    consumer.close()


def offsets_for_times(bootstrap, topics, times):
    consumer = _consumer(bootstrap)
    for timestamp in times:
        found = consumer.offsets_for_times({TopicPartition(topic, 0): timestamp for topic in topics})
        for partition, offset in found.items():
            yield partition.topic, timestamp, offset and offset.offset
    consumer.close()


def _consumer(bootstrap, **more):
    return KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        check_crcs=True,
        **more,
    )
