// @platformatic/kafka in the interoperability suite.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { setTimeout } = require('node:timers/promises')

const main = require.resolve('@platformatic/kafka')
const { version } = JSON.parse(fs.readFileSync(path.join(path.dirname(main), '../package.json')))

async function beMember (bootstrap, { topic, group, instance, sessionMs }, events, stopped) {
  const { Consumer } = await import(main)
  const consumer = new Consumer({
    clientId: 'interop',
    bootstrapBrokers: [bootstrap],
    groupId: group,
    groupInstanceId: instance,
    sessionTimeout: sessionMs,
    rebalanceTimeout: 20_000,
    heartbeatInterval: 500,
    maxWaitTime: 200
  })
  const uncommitted = new Map()
  consumer.on('consumer:group:join', ({ assignments }) => {
    const partitions = (assignments ?? []).flatMap(({ partitions }) => partitions)
    for (const partition of uncommitted.keys()) {
      if (!partitions.includes(partition)) uncommitted.delete(partition)
    }
    events.assigned(partitions)
  })
  const stream = await consumer.consume({
    topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: false
  })
  let over = false
  stopped.then(() => { over = true; return stream.close() })
  const committing = commitUntil(() => over, consumer, topic, uncommitted, events)
  for await (const message of stream) {
    events.record(message.partition, message.offset, message.value)
    uncommitted.set(message.partition, message.offset + 1n)
  }
  await committing
  await consumer.close(true)
}

// Commits what was read ten times a second, and once more at the end.
async function commitUntil (isOver, consumer, topic, uncommitted, events) {
  for (let last = false; !last;) {
    last = isOver()
    const offsets = [...uncommitted].map(([partition, offset]) => ({
      topic, partition, offset, leaderEpoch: -1
    }))
    try {
      if (offsets.length > 0) await consumer.commit({ offsets })
      for (const { partition, offset } of offsets) {
        events.committed(partition, offset)
        if (uncommitted.get(partition) === offset) uncommitted.delete(partition)
      }
    } catch {
      // A rebalance is on; what stays with this member is committed after it.
    }
    await setTimeout(100)
  }
}

module.exports = { version, beMember }
