"""aiokafka."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka import __version__ as VERSION
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError

import corpus

TIMEOUT_S = 180
ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
}


def produce(bootstrap, topic, codec, entries):
    asyncio.run(_produce(bootstrap, topic, codec, entries))


def consume(bootstrap, topics, fetch_bytes_max, out):
    asyncio.run(_consume(bootstrap, topics, fetch_bytes_max, out))


def offsets_for_times(bootstrap, topics, times):
    return asyncio.run(_offsets_for_times(bootstrap, topics, times))


async def _produce(bootstrap, topic, codec, entries):
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        enable_idempotence=True,
        linger_ms=5,
        max_request_size=4 << 20,
    )
    await producer.start()
    try:
        sent = [
            await producer.send(
                topic,
                value=entry.value,
                key=entry.key,
                partition=0,
                timestamp_ms=entry.timestamp,
                headers=entry.headers,
            )
            for entry in entries
        ]
        for index, acknowledged in enumerate(await asyncio.wait_for(asyncio.gather(*sent), TIMEOUT_S)):
            if acknowledged.offset != index:
                raise RuntimeError(f"record {index} has offset {acknowledged.offset}")
    finally:
        await producer.stop()


async def _consume(bootstrap, topics, fetch_bytes_max, out):
    consumer = _consumer(bootstrap, max_partition_fetch_bytes=fetch_bytes_max)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, 0) for topic in topics]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        left = {partition for partition in partitions if ends[partition] > 0}
        deadline = time.monotonic() + TIMEOUT_S
        while left:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not at the end: {left}")
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
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
                if records[-1].offset + 1 >= ends[partition]:
                    left.discard(partition)
    finally:
        await consumer.stop()


async def _offsets_for_times(bootstrap, topics, times):
    consumer = _consumer(bootstrap)
    await consumer.start()
    try:
        found = []
        for timestamp in times:
            query = {TopicPartition(topic, 0): timestamp for topic in topics}
            for partition, offset in (await consumer.offsets_for_times(query)).items():
                found.append((partition.topic, timestamp, offset and offset.offset))
        return found
    finally:
        await consumer.stop()


def be_a_member(bootstrap, topic, group, assignor, instance, session_ms, events, stopping):
    asyncio.run(_be_a_member(bootstrap, topic, group, assignor, instance, session_ms, events, stopping))


async def _be_a_member(bootstrap, topic, group, assignor, instance, session_ms, events, stopping):
    uncommitted = {}

    class Listener(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked):
            for partition in revoked:
                uncommitted.pop(partition, None)
            events.revoked([p.partition for p in revoked])

        async def on_partitions_assigned(self, assigned):
            events.assigned([p.partition for p in assigned])

    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        group_instance_id=instance,
        partition_assignment_strategy=(ASSIGNORS[assignor],),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=500,
    )
    consumer.subscribe([topic], listener=Listener())
    await consumer.start()
    while not stopping.is_set():
        read = await consumer.getmany(timeout_ms=200)
        for partition, records in read.items():
            for record in records:
                events.record(partition.partition, record.offset, record.value)
            uncommitted[partition] = records[-1].offset + 1
        if uncommitted:
            committing = dict(uncommitted)
            try:
                await consumer.commit(committing)
                for partition, offset in committing.items():
                    events.committed(partition.partition, offset)
                    if uncommitted.get(partition) == offset:
                        del uncommitted[partition]
            except KafkaError:
                # A rebalance is on; what stays with this member is committed after it.
                pass
    await consumer.stop()


def _consumer(bootstrap, **more):
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        check_crcs=True,
        **more,
    )
