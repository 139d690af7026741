"""kafka-python."""

import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata
from kafka.version import __version__ as VERSION

import corpus

TIMEOUT_S = 180
ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}


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


def be_a_member(bootstrap, topic, group, assignor, instance, session_ms, events, stopping):
    uncommitted = {}

    class Listener(ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked):
            for partition in revoked:
                uncommitted.pop(partition, None)
            events.revoked([p.partition for p in revoked])

        def on_partitions_assigned(self, assigned):
            events.assigned([p.partition for p in assigned])

    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        bootstrap_timeout_ms=120_000,
        group_id=group,
        group_instance_id=instance,
        partition_assignment_strategy=(ASSIGNORS[assignor],),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=500,
    )
    consumer.subscribe([topic], listener=Listener())
    while not stopping.is_set():
        # A poll that runs out between the two answers of a rebalance loses the second, and the member
        # is never heard of again. It ends as soon as there is a record, so this long costs nothing.
        for partition, records in consumer.poll(timeout_ms=15_000).items():
            for record in records:
                events.record(partition.partition, record.offset, record.value)
            uncommitted[partition] = OffsetAndMetadata(records[-1].offset + 1, "", -1)
        if uncommitted:
            try:
                consumer.commit(dict(uncommitted))
                for partition, position in uncommitted.items():
                    events.committed(partition.partition, position.offset)
                uncommitted.clear()
            except KafkaError:
                # A rebalance is on; what stays with this member is committed after it.
                pass
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
